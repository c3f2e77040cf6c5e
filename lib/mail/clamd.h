/* What clamd answers about one message (clamd(8), INSTREAM and FILDES): one line,
   which ends in NUL or LF, whichever of them was asked for.
   There are three outcomes, and the third is the large one: what is neither
   "OK" nor "FOUND", such as an error, a time-out, or a line that was cut off, says
   nothing about the message, and must be taken for neither.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_CLAMD_H
#define MAIL_CLAMD_H

#include <stdbool.h>
#include <stddef.h>

enum {
	CLAMD_REPLY_LIMIT = 1024, /* bytes; a longer line is no answer */
	CLAMD_TEXT_LIMIT = 160,   /* of what is kept of it, with the NUL */
};

enum clamd_verdict {
	CLAMD_CLEAN,
	CLAMD_FOUND,
	CLAMD_LIMITED,   /* FOUND, but all it found was a limit of its own */
	CLAMD_TOO_LARGE, /* it takes no stream of that length */
	CLAMD_FAILED,
};

struct clamd_reply {
	enum clamd_verdict verdict;
	/* The name of what was found, or what else was said; printable. */
	char text[CLAMD_TEXT_LIMIT];
};

/* Is the end of the line among the bytes? If so, nothing more is to come. */
bool clamd_is_whole(const char *bytes, size_t length);

/* Takes any bytes, as many as came before the connection was closed. */
void clamd_parse(const char *bytes, size_t length, struct clamd_reply *);

#endif
