/* SPDX-License-Identifier: ISC */
#include "system/clock.h"

#include <sys/syscall.h>
#include <unistd.h>

/* To find the clock that needs no system call costs a new process two page
   faults: as much as about so many calls. */
enum { CALLS_TO_THE_KERNEL = 16 };

void clock_read(clockid_t clock, struct timespec *now)
{
#ifdef __LP64__ /* elsewhere the kernel's times may be shorter than libc's */
	static int calls;

	if (calls < CALLS_TO_THE_KERNEL) {
		calls++;
		if (syscall(SYS_clock_gettime, clock, now) == 0) return;
	}
#endif
	clock_gettime(clock, now);
}

time_t clock_seconds(void)
{
	struct timespec now;

	clock_read(CLOCK_REALTIME, &now);
	return now.tv_sec;
}
