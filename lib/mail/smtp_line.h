/* Lines of an SMTP conversation out of a stream's buffer, and the parameters
   of a command. A line ends at LF; one CR before it is cut. A line over the
   limit is dropped as it comes and reported once, so that a client cannot make
   the program grow, and one line never gets two replies.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_SMTP_LINE_H
#define MAIL_SMTP_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "system/stream.h"

/* Bytes with the line end. RFC 5321 section 4.5.3.1.4 asks for 512, and the
   extensions' parameters add up to about 1,200. */
enum { SMTP_LINE_LIMIT = 2048 };

/* Bytes of a reply's line without its CRLF, RFC 5321 section 4.5.3.1.5. */
enum { SMTP_REPLY_LIMIT = 510 };

enum smtp_line_state {
	SMTP_LINE_PARTIAL, /* needs stream_fill */
	SMTP_LINE_WHOLE,
	SMTP_LINE_TOO_LONG,
	SMTP_LINE_HAS_NUL, /* would end too early as a C string */
};

struct smtp_line {
	bool dropping; /* within a line that is too long */
	/* A whole line: in the stream's buffer, ended by a NUL, valid until
	   the next stream_fill. */
	char *text;
	size_t length;
};

/* Takes the next line out of the stream. */
enum smtp_line_state smtp_line_take(struct smtp_line *, struct stream_in *,
				    size_t limit);

/* Cuts the line into the command's word and its argument behind the blanks. */
const char *smtp_line_cut_verb(char *line);

/* One parameter of "SIZE=10 BODY=8BITMIME" (RFC 5321 section 4.1.2). */
struct smtp_parameter {
	const char *name;
	size_t name_length;
	const char *value; /* NULL without '=' */
	size_t value_length;
};

/* Takes the next parameter at `*text` and moves it on; false at the end. */
bool smtp_parameter_next(const char **text, struct smtp_parameter *);

#endif
