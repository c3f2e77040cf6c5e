/* SPDX-License-Identifier: ISC */
#include "system/deadline.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

#include "system/clock.h"

static long long now(void)
{
	struct timespec at;

	clock_read(CLOCK_MONOTONIC, &at);
	return (long long)at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

deadline deadline_in(unsigned long seconds)
{
	/* A century is never, and keeps the sum far from overflow. */
	if (seconds > 100ul * 366 * 86400) return DEADLINE_NEVER;
	return now() + (long long)seconds * 1000;
}

int deadline_left(deadline end)
{
	long long left;

	if (end == DEADLINE_NEVER) return -1;
	left = end - now();
	if (left <= 0) return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

int deadline_wait(int fd, short events, deadline end)
{
	for (;;) {
		struct pollfd watched = { .fd = fd, .events = events };
		int left = deadline_left(end);
		int ready = poll(&watched, 1, left);

		if (ready > 0) return 1;
		if (ready < 0 && errno != EINTR) return -1;
		if (ready == 0 && left != INT_MAX) return 0;
	}
}

int deadline_wait_for(int fd, short events, unsigned long seconds)
{
	struct pollfd watched = { .fd = fd, .events = events };
	int milliseconds = seconds > INT_MAX / 1000 ? -1 : (int)seconds * 1000;
	int ready;

	do ready = poll(&watched, 1, milliseconds);
	while (ready < 0 && errno == EINTR);
	return ready;
}
