/* SPDX-License-Identifier: ISC */
#include "collection.h"

#include <stdint.h>
#include <string.h>

#include "base/message.h"
#include "base/parse.h"
#include "base/str.h"

enum {
	SHORTEST_HASH = 13, /* of the first crypt */
	MOST_SHOWN = 50,
	SECONDS_A_DAY = 86400,
};

static bool may_warn(struct collection *collection)
{
	progress_wipe(&collection->progress);
	return ++collection->warnings <= MOST_SHOWN;
}

/* ---- what may stand in auth.cdb ---- */

/* A login stands on a line of its own, with a blank behind it. */
bool login_is_fit(const char *login)
{
	for (const char *c = login; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f) return false;
	return *login != '\0';
}

/* A comma would begin the settings. */
static bool hash_is_fit(const char *hash)
{
	for (const char *c = hash; *c; c++)
		if (*c <= ' ' || *c == 0x7f || *c == ',' || *c == '"')
			return false;
	return *hash != '\0';
}

static bool hash_opens(const char *hash)
{
	return strlen(hash) >= SHORTEST_HASH && !strchr("!*", *hash);
}

bool settings_are_fit(const char *text)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
				      "abcdefghijklmnopqrstuvwxyz0123456789";

	for (;;) {
		size_t name = strspn(text, letters);
		const char *end;

		if (name == 0 || (*text >= '0' && *text <= '9') ||
		    text[name] != '=' || text[name + 1] != '"')
			return false;
		end = strchr(text + name + 2, '"');
		if (!end) return false;
		if (!end[1]) return true;
		if (end[1] != ',') return false;
		text = end + 2;
	}
}

bool value_is_fit(char *value)
{
	char *comma = strchr(value, ',');
	bool is_fit;

	if (comma) *comma = '\0';
	is_fit = hash_is_fit(value) && (!comma || settings_are_fit(comma + 1));
	if (comma) *comma = ',';
	return is_fit;
}

/* ---- what is added ---- */

static void add(struct collection *collection, const char *login)
{
	struct str *value = &collection->value;
	struct record settings;

	if (record_list_find(&collection->login_settings, login, strlen(login),
			     &settings)) {
		str_append_byte(value, ',');
		str_append(value, settings.value, settings.value_length);
	}
	record_list_add(&collection->logins, login, strlen(login), value->data,
			value->length);
	progress_step(&collection->progress, "logins");
}

void collection_add_hash(struct collection *collection, const char *login,
			 const char *hash, const char *expiry)
{
	struct str *value = &collection->value;
	unsigned long days;
	char shown[SHOWN];

	if (!*hash || !login_is_fit(login) || !hash_is_fit(hash)) {
		if (may_warn(collection))
			warn("left out %s: %s",
			     printable_text(shown, sizeof shown, login),
			     *hash ? "its bytes are not fit for a table"
				   : "its password is empty");
		return;
	}
	if (!collection->settings->takes_all && !hash_opens(hash)) return;
	str_clear(value);
	str_append_text(value, hash);
	if (parse_number(expiry, 0, UINT32_MAX, &days) == 0) {
		str_append_text(value, ",PASSWORD_EXPIRES=\"");
		str_append_number(value, days * SECONDS_A_DAY);
		str_append_byte(value, '"');
	}
	add(collection, login);
}

void collection_add_value(struct collection *collection, const char *login,
			  const char *value)
{
	str_clear(&collection->value);
	str_append_text(&collection->value, value);
	add(collection, login);
}

/* ---- the end ---- */

static void warn_of_repeats(struct collection *collection)
{
	const struct record_list *logins = &collection->logins;

	for (size_t i = 1; i < logins->count; i++) {
		struct record one = record_list_at(logins, i - 1);
		struct record other = record_list_at(logins, i);
		char shown[SHOWN];
		struct str login = { 0 };

		if (one.key_length != other.key_length ||
		    memcmp(one.key, other.key, one.key_length) != 0)
			continue;
		str_append(&login, one.key, one.key_length);
		if (may_warn(collection))
			warn("more than one password for %s: that of "
			     "control/authusers counts, then vpopmail's",
			     printable_text(shown, sizeof shown, login.data));
		str_free(&login);
	}
}

void collection_finish(struct collection *collection)
{
	record_list_sort(&collection->logins);
	warn_of_repeats(collection);
	record_list_drop_repeats(&collection->logins);
	progress_wipe(&collection->progress);
	if (collection->warnings > MOST_SHOWN)
		warn("%lu more warnings", collection->warnings - MOST_SHOWN);
}
