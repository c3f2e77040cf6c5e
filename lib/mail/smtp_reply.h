/* A server's reply (RFC 5321 section 4.2), line by line as it comes:

       250-first.example
       250 PIPELINING

   The server is not trusted: a reply may be without an end, of several codes,
   or no reply at all.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_SMTP_REPLY_H
#define MAIL_SMTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>

enum {
	/* Of the text that is kept; what is too long ends in "...". */
	SMTP_REPLY_TEXT = 480,
	/* The longest replies known are those to EHLO. */
	SMTP_REPLY_LINES = 200,
	/* The code of a server that goes away (RFC 5321 section 3.8). */
	SMTP_REPLY_CLOSING = 421,
};

/* Begins as zeros. */
struct smtp_reply {
	unsigned code; /* 200 to 599 */
	unsigned lines;
	size_t length;
	/* Of all lines, with a blank between them, in printable ASCII: without
	   the code, and with an enhanced code (RFC 3463) at its front only. */
	char text[SMTP_REPLY_TEXT + 1];
};

enum smtp_reply_state {
	SMTP_REPLY_MORE,
	SMTP_REPLY_WHOLE,
	SMTP_REPLY_BAD, /* no line of this reply, or one too many */
};

/* Takes one line, without its end; `text` is then what stands behind the code,
   in the line itself. */
enum smtp_reply_state smtp_reply_take(struct smtp_reply *, const char *line,
				      size_t length, const char **text);

/* The class that RFC 5321 section 4.2.1 gives it: 2 to 5. */
unsigned smtp_reply_class(const struct smtp_reply *);

/* The length of "5.7.1", or of "5.7.1 ", at the text's front; 0. */
size_t smtp_reply_enhanced_code(const char *text, size_t length);

#endif
