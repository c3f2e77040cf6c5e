/* SPDX-License-Identifier: ISC */
#include "mail/auth_entry.h"

#include <string.h>

static const char cram_mark[] = "{CRAM-MD5}";

enum { CRAM_MARK = sizeof cram_mark - 1 };

static bool begins_with(const char *text, size_t length, const char *with,
			size_t with_length)
{
	return length >= with_length && memcmp(text, with, with_length) == 0;
}

static int digit_value(char digit)
{
	if (digit >= '0' && digit <= '9') return digit - '0';
	if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
	return -1;
}

static enum auth_entry_kind read_cram(struct cram_secret *secret,
				      const char *digits, size_t length)
{
	if (length != 2 * sizeof secret->states) return AUTH_ENTRY_WRONG;
	for (size_t i = 0; i < sizeof secret->states; i++) {
		int high = digit_value(digits[2 * i]);
		int low = digit_value(digits[2 * i + 1]);

		if (high < 0 || low < 0) return AUTH_ENTRY_WRONG;
		secret->states[i] = (unsigned char)(high << 4 | low);
	}
	return AUTH_ENTRY_CRAM;
}

void cram_secret_write(struct str *text, const struct cram_secret *secret)
{
	static const char digits[] = "0123456789abcdef";

	str_append(text, cram_mark, CRAM_MARK);
	for (size_t i = 0; i < sizeof secret->states; i++) {
		str_append_byte(text, digits[secret->states[i] >> 4]);
		str_append_byte(text, digits[secret->states[i] & 15]);
	}
}

static enum auth_entry_kind read_hash(struct auth_entry *entry,
				      const char *hash, size_t length)
{
	if (length == 0 || *hash == '*' || *hash == '!')
		return AUTH_ENTRY_LOCKED;
	if (length >= sizeof entry->hash || memchr(hash, '\0', length))
		return AUTH_ENTRY_WRONG;
	if (begins_with(hash, length, cram_mark, CRAM_MARK))
		return read_cram(&entry->cram, hash + CRAM_MARK,
				 length - CRAM_MARK);
	if (begins_with(hash, length, SCRAM_NAME "$", sizeof SCRAM_NAME))
		return scram_secret_read(&entry->scram, hash, length) == 0
			       ? AUTH_ENTRY_SCRAM
			       : AUTH_ENTRY_WRONG;
	memcpy(entry->hash, hash, length);
	return AUTH_ENTRY_CRYPT;
}

void auth_entry_read(struct auth_entry *entry, const char *value, size_t length)
{
	const char *comma = length ? memchr(value, ',', length) : NULL;
	size_t hash_length = comma ? (size_t)(comma - value) : length;

	*entry = (struct auth_entry){
		.settings = value + hash_length,
		.settings_length = length - hash_length,
	};
	entry->kind = read_hash(entry, value, hash_length);
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static size_t name_length_of(const char *text, size_t length)
{
	size_t n = 0;

	while (n < length && (is_letter(text[n]) ||
			      (n > 0 && text[n] >= '0' && text[n] <= '9')))
		n++;
	return n;
}

/* What is left begins with the comma before a setting. */
bool auth_entry_next_setting(struct auth_entry *entry,
			     struct auth_setting *setting)
{
	const char *text = entry->settings, *end = text, *quote;
	size_t length = entry->settings_length;

	entry->settings_length = 0;
	if (length < 1 || *text != ',') return false;
	end += length;
	setting->name = ++text;
	setting->name_length = name_length_of(text, length - 1);
	text += setting->name_length;
	if (setting->name_length == 0 || end - text < 2 || text[0] != '=' ||
	    text[1] != '"')
		return false;
	text += 2;
	quote = text < end ? memchr(text, '"', (size_t)(end - text)) : NULL;
	if (!quote) return false;
	setting->value = text;
	setting->value_length = (size_t)(quote - text);
	if (memchr(text, '\0', setting->value_length)) return false;
	entry->settings = quote + 1;
	entry->settings_length = (size_t)(end - (quote + 1));
	return true;
}

static bool is_named(const struct auth_setting *setting, const char *name)
{
	return setting->name_length == strlen(name) &&
	       memcmp(setting->name, name, setting->name_length) == 0;
}

bool auth_setting_is_expiry(const struct auth_setting *setting)
{
	return is_named(setting, "PASSWORD_EXPIRES");
}

bool auth_setting_has_expired(const struct auth_setting *setting, time_t now)
{
	time_t time = 0;

	if (setting->value_length == 0) return true;
	for (size_t i = 0; i < setting->value_length; i++) {
		char c = setting->value[i];

		if (c < '0' || c > '9') return true;
		if (time <= now) time = time * 10 + (c - '0');
	}
	return time <= now;
}

bool auth_setting_is_unsafe(const struct auth_setting *setting)
{
	static const char *const starts[] = { "LD_", "PERL5", "PYTHON", "RUBY",
					      "BASH_FUNC_" };
	static const char *const names[] = {
		"PATH",         "IFS",          "ENV",
		"BASH_ENV",     "SHELLOPTS",    "BASHOPTS",
		"PS4",          "GCONV_PATH",   "LOCPATH",
		"NLSPATH",      "TZDIR",        "HOSTALIASES",
		"RES_OPTIONS",  "LOCALDOMAIN",  "PERLLIB",
		"PERLIO_DEBUG", "MALLOC_TRACE", "SMTP_AUTH_USER",
	};

	for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
		if (begins_with(setting->name, setting->name_length, starts[i],
				strlen(starts[i])))
			return true;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (is_named(setting, names[i])) return true;
	return false;
}
