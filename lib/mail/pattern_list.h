/* The lists badmailfrom, badmailfromnorelay, badrcptto, badrcpttonorelay and
   badhelo. A line is a regular expression (POSIX, extended, in any case of
   ASCII letters) that fits anywhere in the text; behind a '!' it is meant for
   the texts that it does not fit. The same line without a '!' is also what it
   was before there were expressions: the whole text, or "@host" for everybody
   there, so that an old line with a '+' in it, or one that is no expression,
   still does its work.

   The surprise: few lines ever reach libc. Compiling one costs musl more than
   smtpd needs to start, so lines of plain bytes, '.', '.*', "\.", and '^' and
   '$' at the ends are decided here, from the line as it stands, and the others
   are compiled when a text first comes to them. The list itself may be large:
   10,000 plain lines are passed in the time of a few system calls.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_PATTERN_LIST_H
#define MAIL_PATTERN_LIST_H

#include "base/str.h"

/* Bytes of a text that are looked at: more than an address or a name has, so
   that no client can make the work long. */
enum { PATTERN_TEXT_LIMIT = 1024 };

struct pattern;

/* Start with {0}, and control_read_list into `lines`. */
struct pattern_list {
	struct str lines;
	/* Of the lines that are not plain, those that have been compiled. */
	struct pattern *compiled;
};

/* The first line, with its '!', that means this text, or NULL. A line that is
   no expression means nothing but its own letters, with a '!' nothing at all. */
const char *pattern_list_match(struct pattern_list *, const char *text);

/* A line that turned out to be no expression, each of them once; NULL when
   there is no other. Lines behind the first match have not been looked at. */
const char *pattern_list_bad_line(struct pattern_list *);

void pattern_list_free(struct pattern_list *);

#endif
