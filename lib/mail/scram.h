/* The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel
   binding. Messages are as they are before base64, with no NUL in them.
   What is kept for a login is no password: who has read it may play the server,
   but cannot log in without having guessed the password.
   The surprise: an authorization identity is not looked at, and neither names
   nor passwords are normalized (RFC 4013): a login is the bytes of its key.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_SCRAM_H
#define MAIL_SCRAM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/sha256.h"
#include "base/str.h"

#define SCRAM_NAME "SCRAM-SHA-256"

enum {
	SCRAM_SALT_LIMIT = 64,
	SCRAM_MOST_ITERATIONS = 10000000,
	SCRAM_MESSAGE_LIMIT = 8192, /* RFC 4954's line, 12288, out of base64 */
};

struct scram_secret {
	unsigned long iterations;
	size_t salt_length;
	unsigned char salt[SCRAM_SALT_LIMIT];
	unsigned char stored_key[SHA256_LENGTH];
	unsigned char server_key[SHA256_LENGTH];
};

/* SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY. 0, or -1 when it is none. */
int scram_secret_read(struct scram_secret *, const char *text, size_t length);

/* Is it this password's? For a client that sends the password itself. */
bool scram_secret_matches(const struct scram_secret *, const char *password);

/* One exchange; start with `struct scram s = {0}`. */
struct scram {
	struct str login;
	struct str nonce; /* the client's, then with ours behind it */
	struct str gs2_header;
	struct str first; /* the client's first message, bare */
	struct str answer;
};

void scram_free(struct scram *);

/* The client's first message, for `login`. -1 when it is none, or wants what
   there is not. */
int scram_read_first(struct scram *, const char *message);

/* What the client is to be told, in `answer`. */
void scram_challenge(struct scram *, const struct scram_secret *,
		     const char *nonce);

enum scram_result {
	SCRAM_PROVED,
	SCRAM_NOT_PROVED,
	SCRAM_MALFORMED, /* or not of this exchange */
};

/* The client's last message; what proves us is in `answer` when it proved
   itself. */
enum scram_result scram_read_final(struct scram *, const struct scram_secret *,
				   const char *message);

#endif
