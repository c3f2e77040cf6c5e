/* Enhanced status codes (RFC 2034, RFC 3463) for texts that have theirs at the end
   as "(#5.7.1)", or have none: with SMTP_ENHANCED each line of a reply begins with
   one. What a reply says does not change otherwise.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_ENHANCED_H
#define SMTPD_ENHANCED_H

#include <stddef.h>

#include "system/stream.h"

/* Puts a whole reply: its lines have CRLF between them, and the last one none. One
   that would be longer than a reply may be is cut. `code` is for a text without
   one; NULL: what goes with the number. 0, or -1 with errno. */
int enhanced_put(struct stream_out *, const char *reply, size_t length,
		 const char *code);

#endif
