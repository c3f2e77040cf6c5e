/* Connecting to what a user has named, in time.
   SPDX-License-Identifier: ISC */
#include "system/dial.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/message.h"
#include "system/net.h"
#include "tap.h"

static void test_parsing(void)
{
	static const struct {
		const char *text;
		unsigned port; /* the default one */
		const char *wanted;
	} rows[] = {
		{ "/run/x", 0, "/run/x" },
		{ "/run/x:25", 25, "/run/x:25" },
		{ "/", 0, "/" },
		{ "mail.example:24", 0, "mail.example 24" },
		{ "mail.example:24", 25, "mail.example 24" },
		{ "mail.example", 25, "mail.example 25" },
		{ "192.0.2.1:65535", 0, "192.0.2.1 65535" },
		{ "[2001:db8::1]:24", 25, "2001:db8::1 24" },
		{ "[2001:db8::1]", 25, "2001:db8::1 25" },
		{ "2001:db8::1", 25, "2001:db8::1 25" },
		{ "[192.0.2.1]:24", 0, "192.0.2.1 24" },
		{ "[mail.example]:24", 0, "mail.example 24" },
		{ "mail.example", 0, NULL },
		{ "2001:db8::1", 0, NULL },
		{ "mail.example:", 25, NULL },
		{ "mail.example:0", 25, NULL },
		{ "mail.example:65536", 25, NULL },
		{ "mail.example:+1", 25, NULL },
		{ "mail.example:24x", 25, NULL },
		{ "mail.example:24:25", 25, NULL },
		{ "2001:db8::g", 25, NULL },
		{ ":25", 25, NULL },
		{ "", 25, NULL },
		{ "[", 25, NULL },
		{ "[]", 25, NULL },
		{ "[]:25", 25, NULL },
		{ "[::1", 25, NULL },
		{ "[::1]24", 25, NULL },
		{ "[::1]:", 25, NULL },
		{ "[[::1]]:25", 25, NULL },
		{ "::1]:25", 25, NULL },
		{ "a b:25", 25, NULL },
		{ "run/x:25", 25, NULL },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct dial_place place;
		char shown[DNS_NAME + 20];
		int result;

		errno = 0;
		result = dial_parse(rows[i].text, rows[i].port, &place);
		if (place.path) snprintf(shown, sizeof shown, "%s", place.path);
		else
			snprintf(shown, sizeof shown, "%s %u", place.host,
				 place.port);
		is_text(result < 0 ? NULL : shown, rows[i].wanted,
			rows[i].text);
		if (result < 0) is_number(errno, EINVAL, "and errno says so");
	}
}

static void test_length(void)
{
	char text[DNS_NAME + 3];
	struct dial_place place;

	memset(text, 'a', sizeof text);
	memcpy(text + DNS_NAME - 1, ":1", 3);
	is_number(dial_parse(text, 0, &place), 0, "a host of full length");
	memset(text, 'a', sizeof text);
	memcpy(text + DNS_NAME, ":1", 3);
	is_number(dial_parse(text, 0, &place), -1, "a host that is too long");
}

/* A listener with the address; its queue has room for `backlog` more than one. */
static int listen_at(const void *address, socklen_t size, int backlog)
{
	const struct sockaddr *socket = address;
	int fd = net_socket(socket->sa_family, SOCK_STREAM);

	if (fd < 0 || bind(fd, socket, size) < 0 || listen(fd, backlog) < 0) {
		perror("# listen");
		exit(1);
	}
	return fd;
}

static int listen_by_tcp(const char *text, unsigned *port)
{
	struct sockaddr_storage address;
	struct net_ip ip;
	socklen_t size;
	int fd;

	net_ip_parse(text, &ip);
	size = net_socket_of_ip(&ip, 0, 0, &address);
	fd = listen_at(&address, size, 5);
	size = sizeof address;
	getsockname(fd, (struct sockaddr *)&address, &size);
	net_ip_of_socket(&address, &ip, port);
	return fd;
}

static bool does_not_block(int fd)
{
	return fcntl(fd, F_GETFL) & O_NONBLOCK;
}

static bool sends_at_once(int fd)
{
	socklen_t size = sizeof(int);
	int on = 0;

	return getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size) < 0 || on;
}

static bool is_ours_alone(int fd)
{
	return fcntl(fd, F_GETFD) & FD_CLOEXEC;
}

static void is_connected(int fd, int listener, const char *name)
{
	char byte = 0;
	int accepted;

	if (!ok(fd >= 0, name)) {
		printf("# %s\n", error_text(errno));
		return;
	}
	accepted = accept(listener, NULL, NULL);
	ok(accepted >= 0 && write(accepted, "x", 1) == 1 &&
		   deadline_wait(fd, POLLIN, deadline_in(5)) == 1 &&
		   read(fd, &byte, 1) == 1 && byte == 'x',
	   "and it is the server");
	ok(does_not_block(fd), "it does not block");
	ok(is_ours_alone(fd), "it is not inherited");
	ok(sends_at_once(fd), "it sends at once");
	ok(fd > 2, "it is not a standard descriptor");
	close(accepted);
	close(fd);
}

static void test_tcp(void)
{
	char text[100];
	unsigned port;
	int listener = listen_by_tcp("127.0.0.1", &port);
	int input = dup(0);

	snprintf(text, sizeof text, "127.0.0.1:%u", port);
	is_connected(dial_text(text, 0, deadline_in(5)), listener, text);
	is_connected(dial_text("127.0.0.1", port, deadline_in(5)), listener,
		     "the default port");
	is_connected(dial_text("127.0.0.1", port, DEADLINE_NEVER), listener,
		     "no deadline");
	snprintf(text, sizeof text, "LocalHost:%u", port);
	is_connected(dial_text(text, 0, deadline_in(5)), listener, text);
	close(0);
	is_connected(dial_text(text, 0, deadline_in(5)), listener,
		     "without standard input");
	dup2(input, 0);
	close(input);
	close(listener);
	is_number(dial_text(text, 0, deadline_in(5)), -1, "nobody listens");
	is_number(errno, ECONNREFUSED, "and errno says so");
	is_number(dial_text("x:y", 0, deadline_in(5)), -1, "no place");
	is_number(errno, EINVAL, "is no place");
}

/* localhost is 127.0.0.1 first; where that one is deaf, it is ::1. */
static void test_second_address(void)
{
	struct sockaddr_storage address;
	struct net_ip ip;
	unsigned port;
	char text[100];
	int probe, listener;

	net_ip_parse("::1", &ip);
	probe = net_socket(AF_INET6, SOCK_STREAM);
	if (probe < 0 || bind(probe, (struct sockaddr *)&address,
			      net_socket_of_ip(&ip, 0, 0, &address)) < 0) {
		ok(true, "a second address # SKIP no IPv6 here");
		return;
	}
	close(probe);
	listener = listen_by_tcp("::1", &port);
	snprintf(text, sizeof text, "localhost:%u", port);
	is_connected(dial_text(text, 0, deadline_in(5)), listener, text);
	snprintf(text, sizeof text, "[::1]:%u", port);
	is_connected(dial_text(text, 0, deadline_in(5)), listener, text);
	close(listener);
}

static void test_names(void)
{
	deadline start = deadline_in(0);
	char silent[100];
	struct sockaddr_storage address;
	struct net_ip ip;
	socklen_t size;
	unsigned port;
	int server = net_socket(AF_INET, SOCK_DGRAM);

	net_ip_parse("127.0.0.1", &ip);
	size = net_socket_of_ip(&ip, 0, 0, &address);
	if (bind(server, (struct sockaddr *)&address, size) < 0) exit(1);
	size = sizeof address;
	getsockname(server, (struct sockaddr *)&address, &size);
	net_ip_of_socket(&address, &ip, &port);
	snprintf(silent, sizeof silent, "127.0.0.1:%u", port);
	setenv("DNSCACHEIP", silent, 1);
	is_number(dial_text("name.example:25", 0, deadline_in(1)), -1,
		  "a DNS that says nothing");
	is_number(errno, ENONET, "finds nothing");
	ok(deadline_in(0) - start < 3000, "and has the one deadline");
	close(server);
}

static void test_local(void)
{
	char folder[] = "/tmp/dial.XXXXXX";
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	struct sockaddr_un too_long;
	char text[200] = "/";
	deadline start;
	int listener, waiting[10];
	size_t count = 0;

	if (!mkdtemp(folder)) exit(1);
	snprintf(local.sun_path, sizeof local.sun_path, "%s/socket", folder);
	is_number(dial_text(local.sun_path, 0, deadline_in(5)), -1, "no file");
	is_number(errno, ENOENT, "and errno says so");
	listener = listen_at(&local, sizeof local, 1);
	is_connected(dial_text(local.sun_path, 0, deadline_in(5)), listener,
		     "a unix socket");
	while (count < 10) {
		waiting[count] = net_socket(AF_UNIX, SOCK_STREAM);
		if (connect(waiting[count], (struct sockaddr *)&local,
			    sizeof local) < 0)
			break;
		count++;
	}
	is_number(errno, EAGAIN, "a server whose queue is full");
	start = deadline_in(0);
	is_number(dial_text(local.sun_path, 0, deadline_in(1)), -1,
		  "is waited for");
	is_number(errno, ETIMEDOUT, "until the deadline");
	ok(deadline_in(0) - start >= 900, "and not a moment less");
	if (fork() == 0) {
		usleep(200000);
		close(accept(listener, NULL, NULL));
		_exit(0);
	}
	waiting[0] = dial_text(local.sun_path, 0, deadline_in(5));
	ok(waiting[0] >= 0, "and is reached when there is room");
	ok(does_not_block(waiting[0]), "by a socket that does not block");
	close(listener);
	unlink(local.sun_path);
	rmdir(folder);
	memset(text, 'a', sizeof too_long.sun_path);
	text[0] = '/';
	is_number(dial_text(text, 0, deadline_in(5)), -1, "too long a path");
	is_number(errno, ENAMETOOLONG, "and errno says so");
}

int main(void)
{
	test_parsing();
	test_length();
	test_tcp();
	test_second_address();
	test_names();
	test_local();
	return done_testing();
}
