/* SPDX-License-Identifier: ISC */
#include "system/progress.h"

#include <stdio.h>
#include <unistd.h>

enum {
	STEPS = 1024, /* between two looks at the clock */
	EVERY = 200,  /* milliseconds */
	MILLION = 1000000,
	BILLION = 1000000000,
};

void progress_start(struct progress *progress)
{
	progress->is_wanted = isatty(STDERR_FILENO);
}

void progress_step(struct progress *progress, const char *what)
{
	struct timespec now;

	if (++progress->count % STEPS != 0 || !progress->is_wanted) return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec < progress->next.tv_sec ||
	    (now.tv_sec == progress->next.tv_sec &&
	     now.tv_nsec < progress->next.tv_nsec))
		return;
	dprintf(STDERR_FILENO, "\r%lu %s", progress->count, what);
	progress->is_shown = true;
	now.tv_nsec += (long)EVERY * MILLION;
	now.tv_sec += now.tv_nsec / BILLION;
	now.tv_nsec %= BILLION;
	progress->next = now;
}

void progress_wipe(struct progress *progress)
{
	if (progress->is_shown) dprintf(STDERR_FILENO, "\r%70s\r", "");
	progress->is_shown = false;
}
