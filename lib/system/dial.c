/* SPDX-License-Identifier: ISC */
#include "system/dial.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "base/parse.h"
#include "system/dns.h"
#include "system/file.h"
#include "system/net.h"

enum { ADDRESSES = 8 }; /* of one name; the best come first */

/* ---- what was named ---- */

static int take_port(const char *text, unsigned *port)
{
	unsigned long number;

	if (parse_number(text, 1, 65535, &number) < 0) return -1;
	*port = (unsigned)number;
	return 0;
}

/* Where the host ends: at the last colon, behind a bracket, or at the end. A
   version 6 address without brackets has no port. */
static const char *end_of_host(const char *where)
{
	const char *bracket = *where == '[' ? strchr(where, ']') : NULL;
	const char *colon = strrchr(where, ':');
	struct net_ip ip;

	if (bracket) return bracket + 1;
	if (!colon || net_ip_parse(where, &ip) == 0)
		return where + strlen(where);
	return colon;
}

static int parse_tcp(const char *where, unsigned default_port,
		     struct dial_place *place)
{
	const char *end = end_of_host(where);
	size_t length = (size_t)(end - where);
	struct net_ip ip;

	place->port = default_port;
	if (*end && (*end != ':' || take_port(end + 1, &place->port) < 0))
		return -1;
	if (length > 2 && where[0] == '[') {
		where++;
		length -= 2;
	}
	if (length == 0 || length >= sizeof place->host || place->port == 0)
		return -1;
	memcpy(place->host, where, length);
	place->host[length] = '\0';
	if (strpbrk(place->host, "[]/ ")) return -1;
	return strchr(place->host, ':') && net_ip_parse(place->host, &ip) < 0
		       ? -1
		       : 0;
}

int dial_parse(const char *where, unsigned default_port,
	       struct dial_place *place)
{
	*place = (struct dial_place){ 0 };
	if (*where == '/') {
		place->path = where;
		return 0;
	}
	if (parse_tcp(where, default_port, place) == 0) return 0;
	errno = EINVAL;
	return -1;
}

/* ---- one address ---- */

static int set_patience(int fd, deadline end)
{
	int flags = fcntl(fd, F_GETFL), left = deadline_left(end);
	struct timeval patience = { 0 };

	if (left == 0) {
		errno = ETIMEDOUT;
		return -1;
	}
	if (left > 0) {
		patience.tv_sec = left / 1000;
		patience.tv_usec = left % 1000 * 1000L;
	}
	if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0) return -1;
	return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
			  sizeof patience);
}

/* A local server's queue is full. poll does not wait for that to change, but a
   connect that may block does. */
static int connect_patiently(int fd, const struct sockaddr *address,
			     socklen_t size, deadline end)
{
	static const struct timeval none;
	int result;

	if (set_patience(fd, end) < 0) return -1;
	do result = connect(fd, address, size);
	while (result < 0 && errno == EINTR);
	if (result < 0 && errno == EAGAIN) errno = ETIMEDOUT;
	if (result < 0) return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof none) < 0)
		return -1;
	return fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
}

static int connect_in_time(int fd, const struct sockaddr *address,
			   socklen_t size, deadline end)
{
	int error = 0, ready;
	socklen_t error_size = sizeof error;

	if (connect(fd, address, size) == 0) return 0;
	if (errno == EAGAIN) return connect_patiently(fd, address, size, end);
	if (errno != EINPROGRESS && errno != EINTR) return -1;
	ready = deadline_wait(fd, POLLOUT, end);
	if (ready == 0) errno = ETIMEDOUT;
	if (ready <= 0) return -1;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size) < 0)
		return -1;
	errno = error;
	return error ? -1 : 0;
}

static int try_address(const void *address, socklen_t size, deadline end)
{
	const struct sockaddr *socket = address;
	int fd = net_socket(socket->sa_family, SOCK_STREAM);

	if (fd < 0) return -1;
	if (connect_in_time(fd, socket, size, end) == 0) return fd;
	file_close(fd);
	return -1;
}

static int dial_path(const char *path, deadline end)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	size_t length = strlen(path);

	if (length == 0 || length >= sizeof local.sun_path) {
		errno = length ? ENAMETOOLONG : ENOENT;
		return -1;
	}
	memcpy(local.sun_path, path, length + 1);
	return try_address(&local, sizeof local, end);
}

/* ---- those of a host ---- */

static void look_up(const char *host, deadline end,
		    struct net_ip list[ADDRESSES], size_t *count)
{
	struct dns dns;

	(void)dns_open(&dns, getenv("DNSCACHEIP"));
	(void)dns_find_addresses(&dns, host, end, list, ADDRESSES, count);
	dns_close(&dns);
}

static size_t find_addresses(const char *host, deadline end,
			     struct net_ip list[ADDRESSES])
{
	size_t count = 0;

	if (net_ip_parse(host, &list[0]) == 0) return 1;
	if (strcasecmp(host, "localhost") == 0) {
		(void)net_ip_parse("127.0.0.1", &list[0]);
		(void)net_ip_parse("::1", &list[1]);
		return 2;
	}
	look_up(host, end, list, &count);
	if (count == 0) errno = ENONET;
	return count;
}

/* An address that says nothing must not use up the time of those behind it. */
static deadline share_of(deadline end, size_t addresses)
{
	int left = deadline_left(end);

	if (left < 0) return end;
	return deadline_in(0) + left / (int)addresses;
}

/* All who dial ask and wait: the end of a question must not wait for the other
   side's acknowledgement of its beginning. */
static void send_at_once(int fd)
{
	static const int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static int dial_tcp(const struct dial_place *place, deadline end)
{
	struct net_ip list[ADDRESSES];
	size_t count = find_addresses(place->host, end, list);

	for (size_t i = 0; i < count; i++) {
		struct sockaddr_storage socket;
		socklen_t size =
			net_socket_of_ip(&list[i], place->port, 0, &socket);
		int fd = try_address(&socket, size, share_of(end, count - i));

		if (fd < 0) continue;
		send_at_once(fd);
		return fd;
	}
	return -1;
}

int dial(const struct dial_place *place, deadline end)
{
	return place->path ? dial_path(place->path, end) : dial_tcp(place, end);
}

int dial_text(const char *where, unsigned default_port, deadline end)
{
	struct dial_place place;

	if (dial_parse(where, default_port, &place) < 0) return -1;
	return dial(&place, end);
}
