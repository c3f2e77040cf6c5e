/* Descriptor 3: three strings and its end, or with SCRAM a conversation, whose
   messages have a NUL behind each. Dies, 111, where it cannot be read or written,
   and 2 where a caller made a mistake; what a client can bring about is no
   reason to die.
   SPDX-License-Identifier: ISC */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum { REQUEST_FD = 3, REQUEST_LIMIT = 512, MESSAGE_ROOM = 8192 + 1 };

struct request {
	char bytes[REQUEST_LIMIT + 1]; /* one more: too many */
	size_t length;
	const char *login; /* NULL: it was too long */
	const char *password;
	const char *challenge;
};

/* Not die_usage: for a checkpassword program 100 would be one more way to say
   that the password is wrong. */
_Noreturn void die_misused(const char *why);

/* False when it is too long. */
bool request_read(struct request *);

void request_wipe(struct request *);

/* A message of a conversation. False when it is too long, when more than it
   came, or at the end: the client gave up. */
bool request_read_message(char message[MESSAGE_ROOM]);

void request_send_message(const struct str *message);

#endif
