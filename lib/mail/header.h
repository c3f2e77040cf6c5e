/* Header fields that we write ourselves.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include <time.h>

#include "base/str.h"

/* "26 Sep 1995 04:46:54 -0000": RFC 5322 section 3.3, in UTC, as qmail has
   always written it. */
void header_append_date(struct str *, time_t);

/* A value from outside, fit for a trace field: every byte that is not a letter,
   a digit or one of . @ % + / = : - [ ] becomes '?', so that nobody can add a
   line or a comment of his own. NULL is "unknown". */
void header_append_safe(struct str *, const char *value);

#endif
