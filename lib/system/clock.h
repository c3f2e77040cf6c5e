/* The clocks, read at the least cost: a process that is short asks the kernel,
   one that asks often does without system calls.
   SPDX-License-Identifier: ISC */
#ifndef SYSTEM_CLOCK_H
#define SYSTEM_CLOCK_H

#include <time.h>

/* As clock_gettime, for a clock that is always there. */
void clock_read(clockid_t, struct timespec *);

/* As time(NULL). */
time_t clock_seconds(void);

#endif
