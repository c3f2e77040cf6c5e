/* Points in time on the monotonic clock, in milliseconds: a wait that is
   interrupted, or made of many small waits, still ends when it should.
   SPDX-License-Identifier: ISC */
#ifndef SYSTEM_DEADLINE_H
#define SYSTEM_DEADLINE_H

typedef long long deadline;

enum { DEADLINE_NEVER = -1 };

deadline deadline_in(unsigned long seconds);

/* Milliseconds left, in poll's form: 0 when it has passed, -1 for never. */
int deadline_left(deadline);

/* poll for one descriptor: 1 ready, 0 the deadline passed, -1 with errno. */
int deadline_wait(int fd, short events, deadline);

/* The same for `seconds` from now. It looks at no clock; so a signal that
   interrupts the wait makes it begin anew. */
int deadline_wait_for(int fd, short events, unsigned long seconds);

#endif
