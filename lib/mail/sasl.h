/* What a client answers in the exchange that AUTH begins (RFC 4954 section 4):
   lines of base64, and in them PLAIN's three strings (RFC 4616) or CRAM-MD5's two
   (RFC 2195).
   The surprise: no login and no password may hold a NUL. They are handed on as
   strings with a NUL behind each, and one more would make another login of them.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_SASL_H
#define MAIL_SASL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* A line of an exchange, with its end, or AUTH's own with a first answer in it
   (RFC 4954 section 4 says that so much is enough). */
enum { SASL_LINE_LIMIT = 12288 };

enum sasl_answer {
	SASL_ANSWERED,
	SASL_CANCELLED, /* by an asterisk */
	SASL_MALFORMED,
};

/* Appends what the line stands for, "=" being no bytes at all. The string moves
   at most once, before the first byte. */
enum sasl_answer sasl_read_answer(struct str *bytes, const char *line,
				  size_t length);

/* Can be handed on: there is a byte, and none is NUL. */
bool sasl_is_string(const struct str *bytes);

/* Both in the bytes of the answer. */
struct sasl_login {
	const char *login;
	const char *secret; /* PLAIN: the password; CRAM-MD5: the digits */
};

/* PLAIN's answer; the identity before the login is not looked at. 0, or -1 when
   it is none. */
int sasl_read_plain(struct sasl_login *, const struct str *bytes);

/* CRAM-MD5's, where the blank becomes a NUL. */
int sasl_read_cram(struct sasl_login *, struct str *bytes);

/* Nothing is left of the answer in memory. */
void sasl_wipe(struct str *bytes);

#endif
