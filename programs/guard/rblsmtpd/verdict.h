/* What the lists say together about a client: as if they had been asked one
   after the other, in the order of the command line.
   SPDX-License-Identifier: ISC */
#ifndef RBLSMTPD_VERDICT_H
#define RBLSMTPD_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "look_up.h"
#include "settings.h"

struct verdict {
	enum { UNDECIDED, LET_IN, LET_IN_AT_ONCE, REFUSE } what;
	int score;
	bool spoken_for; /* by a list that says good of clients */
	bool permanent;
	/* The list whose reason is given; NULL for one that failed. */
	const struct look_up *reason;
	size_t heard; /* so many lists had a say in it */
};

/* As far as the answers go. */
struct verdict verdict_of(const struct settings *,
			  const struct look_up look_ups[]);

#endif
