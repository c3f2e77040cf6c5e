/* What spamd answers about one message (SPAMC/1.5; CHECK, HEADERS): a status line,
   a few fields, an empty line, and for HEADERS the header that it would give the
   message. The versions in status lines differ from answer to answer and mean
   nothing. Its bytes are as hostile as the message's, out of which it makes them.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_SPAMD_H
#define MAIL_SPAMD_H

#include <stdbool.h>
#include <stddef.h>

enum {
	SPAMD_HEAD_LIMIT = 4096,       /* bytes before the empty line */
	SPAMD_BODY_LIMIT = 512 * 1024, /* bytes behind it */
	SPAMD_TEXT_LIMIT = 160,        /* with the NUL */
};

enum spamd_state {
	SPAMD_MORE, /* is to come; where the connection ends, it has failed */
	SPAMD_ANSWERED,
	SPAMD_FAILED,
};

struct spamd_reply {
	bool is_spam;
	long score, required; /* see mail/spam_score.h */
	const char *body;     /* NULL: there was no Content-length */
	size_t body_length;
	char text[SPAMD_TEXT_LIMIT]; /* the status line, printable */
};

/* Takes all that has come so far; what comes behind the answer is ignored. `body`
   points into the bytes. */
enum spamd_state spamd_parse(const char *bytes, size_t length,
			     struct spamd_reply *);

/* A field of the header in an answer, which is neither clean nor a C string. */
struct spamd_field {
	const char *name, *value;
	size_t name_length;
	size_t length; /* of the value, with its folds, without blanks before it */
};

/* The next field at `*at`, which moves behind it. Lines that are no fields, and those
   without an end, are left out. False at the end of the header. */
bool spamd_next_field(const char **at, const char *end, struct spamd_field *);

#endif
