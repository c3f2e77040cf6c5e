/* Files in the midst of text, as uuencode(1) writes them (POSIX): a line with the
   name, and lines that can hardly be prose.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_UUENCODE_H
#define MAIL_UUENCODE_H

#include <stdbool.h>
#include <stddef.h>

struct uuencode_begin {
	const char *name; /* in the line */
	size_t name_length;
	bool is_base64;
};

/* "begin 644 NAME", or "begin-base64 644 NAME": it is one if data follows. */
bool uuencode_begins(const char *line, size_t length, struct uuencode_begin *);

/* Whether the line may be data of such a file. */
bool uuencode_is_data(const char *line, size_t length, bool is_base64);

#endif
