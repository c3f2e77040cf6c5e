/* SPDX-License-Identifier: ISC */
#include "logins.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "mail/control.h"

enum {
	SCRAM_DRAWS = 64,
	/* What others make when they are not told otherwise. */
	SCRAM_USUAL_ITERATIONS = 4096,
	SCRAM_USUAL_SALT = 16,
	/* Enough that somebody among them has a password which whoever asks
	   cannot know, and a millisecond's work. */
	KEY_RECORDS = 1000,
	SHOWN = 512,
};

static _Noreturn void die_of_table(const struct logins *logins)
{
	char shown[SHOWN];

	printable_text(shown, sizeof shown, logins->path.data);
	if (errno == EPROTO)
		die_temporary("unable to read %s: it is damaged, or no cdb",
			      shown);
	die_temporary("unable to read %s:", shown);
}

static _Noreturn void die_of_damage(const struct logins *logins)
{
	errno = EPROTO;
	die_of_table(logins);
}

/* Second best: strangers' salts are new ones whenever one of these logins has a
   new password, and the salts of the others are not. */
static void make_key_of_records(struct logins *logins)
{
	enum table_answer answer = TABLE_ABSENT;
	struct table_record record;
	struct str values = { 0 };
	unsigned at = 0;

	for (unsigned i = 0; i < KEY_RECORDS; i++) {
		answer = table_next(&logins->table, &at, &record);
		if (answer != TABLE_FOUND) break;
		str_append(&values, record.value, record.value_length);
	}
	if (answer == TABLE_FAILED) die_of_damage(logins);
	digest_sha256(values.data, values.length, logins->key);
	str_free(&values);
}

static void make_key(struct logins *logins)
{
	const char *value;
	size_t length;

	switch (table_find(&logins->table, AUTH_ENTRY_STRANGERS,
			   AUTH_ENTRY_STRANGERS_LENGTH, &value, &length)) {
	case TABLE_FOUND: digest_sha256(value, length, logins->key); break;
	case TABLE_ABSENT: make_key_of_records(logins); break;
	case TABLE_FAILED: die_of_damage(logins);
	}
}

void logins_open(struct logins *logins)
{
	const char *set = getenv("AUTH_CDB");

	if (set && *set) str_append_text(&logins->path, set);
	else control_path(&logins->path, "auth.cdb");
	if (table_open(&logins->table, logins->path.data) < 0)
		die_of_table(logins);
	make_key(logins);
}

bool logins_find(struct logins *logins, const char *login,
		 struct auth_entry *entry)
{
	const char *value;
	size_t length;

	switch (table_find(&logins->table, login, strlen(login), &value,
			   &length)) {
	case TABLE_FOUND: auth_entry_read(entry, value, length); return true;
	case TABLE_ABSENT: return false;
	case TABLE_FAILED: break;
	}
	die_of_damage(logins);
}

/* A number that nobody foretells who has not the key. */
static void draw(const struct logins *logins, const char *login,
		 unsigned attempt, unsigned char digest[SHA256_LENGTH])
{
	struct str text = { 0 };

	str_append_number(&text, attempt);
	str_append_byte(&text, ' ');
	str_append_text(&text, login);
	digest_hmac_sha256(logins->key, text.data, text.length, digest);
	str_free(&text);
}

bool logins_draw(struct logins *logins, const char *login, unsigned attempt,
		 struct auth_entry *entry)
{
	unsigned char digest[SHA256_LENGTH];
	struct table_record record;
	uint64_t number;

	draw(logins, login, attempt, digest);
	memcpy(&number, digest, sizeof number);
	switch (table_pick(&logins->table, number, &record)) {
	case TABLE_FOUND: break;
	case TABLE_ABSENT: return false;
	case TABLE_FAILED: die_of_damage(logins);
	}
	auth_entry_read(entry, record.value, record.value_length);
	return true;
}

void logins_invent_scram(struct logins *logins, const char *login,
			 struct scram_secret *secret)
{
	unsigned char digest[SHA256_LENGTH];
	unsigned next = SCRAM_DRAWS;
	struct auth_entry entry;

	*secret = (struct scram_secret){
		.iterations = SCRAM_USUAL_ITERATIONS,
		.salt_length = SCRAM_USUAL_SALT,
	};
	for (unsigned i = 0; i < SCRAM_DRAWS; i++) {
		if (!logins_draw(logins, login, i, &entry)) break;
		if (entry.kind != AUTH_ENTRY_SCRAM) continue;
		*secret = entry.scram;
		break;
	}
	for (size_t i = 0; i < secret->salt_length; i++) {
		if (i % sizeof digest == 0) draw(logins, login, next++, digest);
		secret->salt[i] = digest[i % sizeof digest];
	}
	/* Keys that no password has. */
	draw(logins, login, next++, secret->stored_key);
	draw(logins, login, next, secret->server_key);
}
