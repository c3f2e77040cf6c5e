/* SPDX-License-Identifier: ISC */
#include "given_sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/parse.h"

enum { FIRST_GIVEN = 3 }; /* SD_LISTEN_FDS_START */

static void take(struct listeners *listeners, const struct settings *settings,
		 int given, int fd)
{
	const int on = 1;
	char doing[sizeof "listen on descriptor -2147483648"];
	int flags = fcntl(fd, F_GETFL);

	snprintf(doing, sizeof doing, "listen on descriptor %d", given);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
	    add_listener(listeners, fd) < 0)
		fail(settings, doing);
	if (settings->send_at_once)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

bool take_given_sockets(struct listeners *listeners,
			const struct settings *settings)
{
	unsigned long pid = 0, count = 0;
	const char *pid_text = getenv("LISTEN_PID");
	const char *count_text = getenv("LISTEN_FDS");

	if (pid_text && count_text &&
	    parse_number(pid_text, 1, INT_MAX, &pid) == 0 &&
	    pid == (unsigned long)getpid()) {
		if (parse_number(count_text, 1, INT_MAX - FIRST_GIVEN, &count) <
		    0)
			fail(settings, "understand LISTEN_FDS");
		for (int i = 0; i < (int)count; i++)
			take(listeners, settings, FIRST_GIVEN + i,
			     FIRST_GIVEN + i);
		return true;
	}
	if (!takes_standard_input(settings)) return false;
	/* The connections come to descriptor 0. */
	take(listeners, settings, STDIN_FILENO,
	     fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
	return true;
}
