/* Header fields that we write ourselves, and what others wrote.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/str.h"

/* "26 Sep 1995 04:46:54 -0000": RFC 5322 section 3.3, in UTC, as qmail has
   always written it. */
void header_append_date(struct str *, time_t);

/* A value from outside, fit for a trace field: every byte that is not a letter,
   a digit or one of . @ % + / = : - [ ] becomes '?', so that nobody can add a
   line or a comment of his own. NULL is "unknown". */
void header_append_safe(struct str *, const char *value);

/* Moves `*at` over blanks, folds and comments, which nest (RFC 5322 section
   3.2.2). False when a comment has no end; `*at` is the end then. */
bool header_skip_comments(const char **at, const char *end);

/* The Received and Delivered-To fields so far, which tell a loop (RFC 5321
   section 6.3). As in qmail the first letters of a line decide, with no colon
   asked for, and the header ends at the first empty line. */
struct header_hops {
	unsigned count;
	bool in_body;
	unsigned char column;
	char start[9]; /* of the current line */
};

/* Counts in the next bytes of a message with LF line ends; start with zeros. */
void header_count_hops(struct header_hops *, const char *bytes, size_t length);

#endif
