/* The first line of each part of a message (RFC 2045, 2046), compared with
   signatures: what a program for Windows begins with is always the same in
   base64. It is qmail-ldap's REJECTEXEC, whose lists fit; but parts within parts
   and within attached messages are seen as well, wherever a reader of mail would
   find them.
   Nothing is decoded, so somebody who means to can always write the same part
   in another way: this keeps out worms, not enemies. What it takes in memory is
   the struct, and nothing grows with the message: a line counts up to MIME_LINE
   bytes, and of parts that lie deeper than MIME_DEPTH, each line that begins
   with "--" may be a boundary. mail/mime.h is the one that takes pains.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_MIME_SIGNATURE_H
#define MAIL_MIME_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>

#include "mail/mime_field.h"

enum {
	MIME_BOUNDARY = 70, /* RFC 2046 section 5.1.1; more is not looked at */
	MIME_DEPTH = 16,
	MIME_LINE = 1024,
};

enum mime_place {
	MIME_HEADER,     /* of the message, or of a part */
	MIME_FIRST_LINE, /* is next, or empty lines */
	MIME_REST,       /* nothing but boundaries counts */
	MIME_DONE,       /* nothing counts */
};

struct mime_boundary {
	unsigned char length; /* 0: every line that begins with "--" is one */
	char text[MIME_BOUNDARY];
};

struct mime_signature_scan {
	const char *signatures;
	size_t signatures_length;
	const char *match;

	enum mime_place place;
	/* Of the header at hand. */
	bool is_multipart, is_message, is_other, is_content_type;
	/* The boundaries that count, from the outermost to the innermost, and,
	   up to `depth`, those that this header brings. */
	unsigned active, depth;
	struct mime_boundary boundaries[MIME_DEPTH];

	size_t line_length;
	char line[MIME_LINE];
	struct mime_field field; /* Content-Type */
	bool has_boundary;       /* which has come already */
};

/* The signatures are the lines of control_read_list, which have to stay; NULL
   are those of programs for Windows. In a signature '*' is any one byte. */
void mime_signature_start(struct mime_signature_scan *, const char *signatures,
			  size_t length);

/* The signature that the line begins with, or NULL; NULL as above. */
const char *mime_signature_of(const char *signatures, size_t length,
			      const char *line, size_t line_length);

/* Reads the next bytes of a message with LF line ends, however it is cut. The
   first signature that a part has begun with, from then on, or NULL. */
const char *mime_signature_read(struct mime_signature_scan *, const char *bytes,
				size_t length);

/* The message is over, maybe without a line end. */
const char *mime_signature_end(struct mime_signature_scan *);

#endif
