/* The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel
   binding: what is kept for a login, and what the messages say. Messages are as
   they are before base64, with no NUL in them.
   The surprise: there is no cryptography here, so that this needs no library; who
   has read the client's last message is to compute whether its proof is one.
   What is kept is no password: who has read it may play the server, but cannot
   log in without having guessed the password. An authorization identity is not
   looked at, and neither names nor passwords are normalized (RFC 4013): a login
   is the bytes of its key.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_SCRAM_H
#define MAIL_SCRAM_H

#include <stddef.h>

#include "base/str.h"

#define SCRAM_NAME "SCRAM-SHA-256"

enum {
	SCRAM_KEY_LENGTH = 32,
	SCRAM_SALT_LIMIT = 64,
	SCRAM_MOST_ITERATIONS = 10000000,
	SCRAM_MESSAGE_LIMIT = 8192, /* RFC 4954's line, 12288, out of base64 */
};

struct scram_secret {
	unsigned long iterations;
	size_t salt_length;
	unsigned char salt[SCRAM_SALT_LIMIT];
	unsigned char stored_key[SCRAM_KEY_LENGTH];
	unsigned char server_key[SCRAM_KEY_LENGTH];
};

/* SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY. 0, or -1 when it is none. */
int scram_secret_read(struct scram_secret *, const char *text, size_t length);

/* Appends it in the same form. */
void scram_secret_write(struct str *text, const struct scram_secret *);

/* One exchange; start with `struct scram s = {0}`. */
struct scram {
	struct str login;
	struct str nonce; /* the client's, then with ours behind it */
	struct str gs2_header;
	struct str answer;

	/* What both sides sign, RFC 5802's AuthMessage, as far as it goes, and
	   what the client says to be its key, with its signature mixed in. */
	struct str signed_text;
	unsigned char proof[SCRAM_KEY_LENGTH];
};

void scram_free(struct scram *);

/* The client's first message, for `login`. -1 when it is none, or wants what
   there is not. */
int scram_read_first(struct scram *, const char *message);

/* What the client is to be told, in `answer`. */
void scram_challenge(struct scram *, const struct scram_secret *,
		     const char *nonce);

/* The client's last message, for `signed_text` and `proof`. -1 when it is none,
   or not of this exchange. */
int scram_read_final(struct scram *, const char *message);

/* What a client that proved itself is told, in `answer`: HMAC(ServerKey,
   signed_text). */
void scram_sign(struct scram *,
		const unsigned char signature[SCRAM_KEY_LENGTH]);

#endif
