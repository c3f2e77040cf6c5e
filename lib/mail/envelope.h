/* The envelope as qmail-queue reads it on descriptor 1 (qmail-queue(8),
   envelopes(5)):

       F sender NUL  { T recipient NUL }  NUL

   The last NUL says that the whole message and envelope were written: without
   it nothing may be queued. Addresses hold any byte but NUL.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_ENVELOPE_H
#define MAIL_ENVELOPE_H

#include <stddef.h>

#include "base/str.h"

enum {
	ENVELOPE_ADDRESS_LIMIT = 1003,    /* bytes, with the NUL */
	ENVELOPE_LIMIT = 4 * 1024 * 1024, /* bytes that a stage reads */
};

/* Writing one: start once, add recipients, end. */
void envelope_start(struct str *, const char *sender);
void envelope_add(struct str *, const char *recipient);
void envelope_end(struct str *);

enum envelope_state {
	ENVELOPE_WHOLE,
	ENVELOPE_CUT,      /* no final NUL: the client went away */
	ENVELOPE_BAD,      /* not of this form */
	ENVELOPE_TOO_LONG, /* an address over the limit */
};

struct envelope {
	const char *sender;
	const char *recipients; /* the first record, or the final NUL */
	size_t recipient_count;
};

/* Points into `bytes`, which must stay. */
enum envelope_state envelope_parse(const char *bytes, size_t length,
				   struct envelope *);

/* The recipients in order: begin with NULL, NULL at the end. */
const char *envelope_next(const struct envelope *, const char *recipient);

#endif
