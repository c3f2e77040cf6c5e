/* The values of auth.cdb: a hash that is given to crypt is a C string without a
   comma that is not locked; what is written of an entry is read as the same;
   settings lie in the value, in order, and are what they are said to be.
   SPDX-License-Identifier: ISC */
#include "mail/auth_entry.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_hash(const struct auth_entry *entry, const char *value,
		       size_t length)
{
	size_t hash = strnlen(entry->hash, sizeof entry->hash);

	if (entry->kind == AUTH_ENTRY_SCRAM &&
	    (entry->scram.salt_length < 1 ||
	     entry->scram.salt_length > SCRAM_SALT_LIMIT ||
	     entry->scram.iterations < 1))
		__builtin_trap();
	if (entry->kind != AUTH_ENTRY_CRYPT) return;
	if (hash == 0 || hash == sizeof entry->hash || hash > length ||
	    memcmp(entry->hash, value, hash) != 0 ||
	    strchr("!*", entry->hash[0]) || strchr(entry->hash, ','))
		__builtin_trap();
}

static void check_written(const struct auth_entry *entry)
{
	struct str text = { 0 };
	struct auth_entry again;

	if (entry->kind == AUTH_ENTRY_SCRAM)
		scram_secret_write(&text, &entry->scram);
	else if (entry->kind == AUTH_ENTRY_CRAM)
		cram_secret_write(&text, &entry->cram);
	else return;
	auth_entry_read(&again, text.data, text.length);
	if (again.kind != entry->kind ||
	    memcmp(&again.scram, &entry->scram, sizeof again.scram) != 0 ||
	    memcmp(&again.cram, &entry->cram, sizeof again.cram) != 0)
		__builtin_trap();
	str_free(&text);
}

static void check_setting(const struct auth_setting *setting, const char *from,
			  const char *end)
{
	const char *name_end = setting->name + setting->name_length;
	const char *value_end = setting->value + setting->value_length;

	if (setting->name <= from || setting->name_length == 0 ||
	    value_end >= end)
		__builtin_trap();
	if (setting->name[-1] != ',' || memcmp(name_end, "=\"", 2) != 0 ||
	    setting->value != name_end + 2 || *value_end != '"')
		__builtin_trap();
	if (memchr(setting->name, '=', setting->name_length) ||
	    memchr(setting->value, '"', setting->value_length) ||
	    memchr(setting->value, '\0', setting->value_length))
		__builtin_trap();
	(void)auth_setting_has_expired(setting, 1000000000);
	(void)auth_setting_is_unsafe(setting);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const char *value = (const char *)bytes, *from = value - 1;
	struct auth_setting setting;
	struct auth_entry entry;

	if (length == 0) return 0;
	auth_entry_read(&entry, value, length);
	check_hash(&entry, value, length);
	check_written(&entry);
	while (auth_entry_next_setting(&entry, &setting)) {
		check_setting(&setting, from, value + length);
		from = setting.value + setting.value_length;
	}
	return 0;
}
