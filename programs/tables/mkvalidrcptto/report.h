/* What happens on the way: how far it is, and what is worth a word, of which the
   first ones are said and the rest is counted.
   SPDX-License-Identifier: ISC */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>

#include "system/progress.h"

enum { SHOWN = 256, MOST_SHOWN = 50 };

struct report {
	struct progress progress;
	unsigned long warnings;
	bool is_incomplete; /* addresses may be missing */
};

/* Is another warning to be shown? Keeps errno. */
bool report_may_warn(struct report *);

/* Something that could not be read, with errno. */
void report_unreadable(struct report *, const char *path);

void report_end(struct report *);

#endif
