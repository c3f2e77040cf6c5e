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
};

static _Noreturn void die_of_table(void)
{
	die_temporary("unable to read auth.cdb:");
}

/* Whoever knows the hash of the first login needs no times. */
static void make_key(struct logins *logins)
{
	struct table_record record;
	unsigned at = 0;

	switch (table_next(&logins->table, &at, &record)) {
	case TABLE_FOUND:
		sha256(record.value, record.value_length, logins->key);
		break;
	case TABLE_ABSENT: break;
	case TABLE_FAILED: errno = EPROTO; die_of_table();
	}
}

void logins_open(struct logins *logins)
{
	struct str path = { 0 };
	const char *set = getenv("AUTH_CDB");

	if (set && *set) str_append_text(&path, set);
	else control_path(&path, "auth.cdb");
	if (table_open(&logins->table, path.data) < 0) die_of_table();
	make_key(logins);
	str_free(&path);
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
	errno = EPROTO;
	die_of_table();
}

bool logins_draw(struct logins *logins, const char *login, unsigned attempt,
		 struct auth_entry *entry)
{
	unsigned char digest[SHA256_LENGTH];
	struct hmac_sha256 hmac;
	struct table_record record;
	uint64_t number;

	hmac_sha256_start(&hmac, logins->key, sizeof logins->key);
	hmac_sha256_add(&hmac, &attempt, sizeof attempt);
	hmac_sha256_add(&hmac, login, strlen(login));
	hmac_sha256_finish(&hmac, digest);
	memcpy(&number, digest, sizeof number);
	if (table_pick(&logins->table, number, &record) != TABLE_FOUND)
		return false;
	auth_entry_read(entry, record.value, record.value_length);
	return true;
}

void logins_invent_scram(struct logins *logins, const char *login,
			 struct scram_secret *secret)
{
	unsigned char digest[SHA256_LENGTH];
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
	hmac_sha256(logins->key, sizeof logins->key, login, strlen(login),
		    digest);
	for (size_t i = 0; i < secret->salt_length; i++)
		secret->salt[i] = digest[i % sizeof digest];
	/* Keys that no password has: one is the other's digest. */
	sha256(digest, sizeof digest, secret->stored_key);
	sha256(secret->stored_key, SHA256_LENGTH, secret->server_key);
}
