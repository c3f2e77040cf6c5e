/* A preload for programs that ask DNS servers at port 53 alone, as those with
   the library of djbdns: with TEST_DNS_PORT they ask at that port. With
   TEST_CLOCK_SPEED time runs so many times faster for them: what they give up
   after a minute, they give up after two seconds. What they set an alarm for
   stays as it is. Programs that ask by libc's resolver (res_ninit) ask only at
   that port of 127.0.0.1, whatever resolv.conf says.
   SPDX-License-Identifier: ISC */
#include <dlfcn.h>
#include <netinet/in.h>
#include <poll.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { DNS_PORT = 53 };

int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t size)
{
	static int (*next)(int, const struct sockaddr *, socklen_t);
	const char *port = getenv("TEST_DNS_PORT");
	struct sockaddr_in6 other = { 0 };

	/* In both families the port is in the same place. */
	if (!next) *(void **)&next = dlsym(RTLD_NEXT, "connect");
	if (!port || size > sizeof other)
		return next(fd, address.__sockaddr__, size);
	memcpy(&other, address.__sockaddr__, size);
	if (ntohs(other.sin6_port) == DNS_PORT)
		other.sin6_port = htons((in_port_t)atoi(port));
	return next(fd, (const struct sockaddr *)&other, size);
}

/* libc's own connect cannot be had. */
int res_ninit(res_state state)
{
	static int (*next)(res_state);
	const char *port = getenv("TEST_DNS_PORT");
	int result;

	if (!next) *(void **)&next = dlsym(RTLD_NEXT, "__res_ninit");
	result = next(state);
	if (!port) return result;
	state->nscount = 1;
	state->nsaddr_list[0] = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((in_port_t)atoi(port)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	return result;
}

static int speed(void)
{
	const char *text = getenv("TEST_CLOCK_SPEED");
	int times = text ? atoi(text) : 1;

	return times > 0 ? times : 1;
}

int poll(struct pollfd *fds, nfds_t count, int milliseconds)
{
	static int (*next)(struct pollfd *, nfds_t, int);

	if (!next) *(void **)&next = dlsym(RTLD_NEXT, "poll");
	if (milliseconds > 0) milliseconds = milliseconds / speed() + 1;
	return next(fds, count, milliseconds);
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	static int (*next)(struct timeval *, void *);
	static struct timeval first;
	long long passed;

	if (!next) *(void **)&next = dlsym(RTLD_NEXT, "gettimeofday");
	if (next(now, zone) < 0 || speed() == 1) return 0;
	if (first.tv_sec == 0) first = *now;
	passed = (now->tv_sec - first.tv_sec) * 1000000LL +
		 (now->tv_usec - first.tv_usec);
	passed = passed * speed() + first.tv_usec;
	now->tv_sec = first.tv_sec + passed / 1000000;
	now->tv_usec = passed % 1000000;
	return 0;
}
