/* How far a long work is, for somebody who sits at a terminal: one line on
   standard error that is written over, a few times a second. Where standard
   error is no terminal nothing is ever written.
   SPDX-License-Identifier: ISC */
#ifndef SYSTEM_PROGRESS_H
#define SYSTEM_PROGRESS_H

#include <stdbool.h>
#include <time.h>

/* Start with {0}, which shows nothing. */
struct progress {
	bool is_wanted;
	bool is_shown;
	unsigned long count;
	struct timespec next;
};

/* Shown from now on, if standard error is a terminal. */
void progress_start(struct progress *);

/* One more of `what`. */
void progress_step(struct progress *, const char *what);

/* Before any other line on standard error, and at the end. */
void progress_wipe(struct progress *);

#endif
