/* What stands in auth.cdb for a login: a password's hash and, behind it, the
   login's settings, HASH,NAME="VALUE",NAME="VALUE". The hash is one of

	SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY     RFC 5803's, as
		PostgreSQL writes it; the last three in base64
	{CRAM-MD5}OUTERINNER   Dovecot's: HMAC-MD5's two states with the
		password mixed in, in 64 hexadecimal digits
	anything of crypt(3)'s

   or locked: empty, or with '*' or '!' first. Nobody may give such a text to
   crypt, which has NULL or an error's text for it.
   The surprise: the settings end without a word at the first that has another
   form, as they always did.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_AUTH_ENTRY_H
#define MAIL_AUTH_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/str.h"
#include "mail/scram.h"

enum {
	AUTH_ENTRY_HASH_LIMIT = 384, /* libxcrypt makes none that is longer */
	CRAM_STATE_LENGTH = 16,
};

/* HMAC-MD5's two states, the outer one first, as MD5 writes its digest. */
struct cram_secret {
	unsigned char states[2 * CRAM_STATE_LENGTH];
};

/* Appends it as {CRAM-MD5}… */
void cram_secret_write(struct str *text, const struct cram_secret *);

/* The record that is nobody's, since no login has a NUL: an asterisk, so that
   who takes it for a hash finds it locked, and a secret. What strangers are told
   depends on it, so it stays the same when the table is made anew. */
#define AUTH_ENTRY_STRANGERS "\0"
enum { AUTH_ENTRY_STRANGERS_LENGTH = 1 };

enum auth_entry_kind {
	AUTH_ENTRY_LOCKED,
	AUTH_ENTRY_WRONG, /* of no form that can match */
	AUTH_ENTRY_CRYPT,
	AUTH_ENTRY_SCRAM,
	AUTH_ENTRY_CRAM,
};

struct auth_entry {
	enum auth_entry_kind kind;
	char hash[AUTH_ENTRY_HASH_LIMIT]; /* of AUTH_ENTRY_CRYPT */
	struct scram_secret scram;
	struct cram_secret cram;
	const char *settings; /* what is left of them, in the value */
	size_t settings_length;
};

struct auth_setting {
	const char *name;
	size_t name_length;
	const char *value;
	size_t value_length;
};

/* The entry points into the value. */
void auth_entry_read(struct auth_entry *, const char *value, size_t length);

/* The next setting, until there is none; names are letters, digits and
   underscores, with no digit first, values have no NUL. */
bool auth_entry_next_setting(struct auth_entry *, struct auth_setting *);

/* PASSWORD_EXPIRES="TIME", a setting that is none: has its time come? It has
   when that is no time at all. */
bool auth_setting_is_expiry(const struct auth_setting *);
bool auth_setting_has_expired(const struct auth_setting *, time_t now);

/* What no table may set for a program: what libc, the dynamic linker and
   interpreters act on before the program does, and the login. */
bool auth_setting_is_unsafe(const struct auth_setting *);

#endif
