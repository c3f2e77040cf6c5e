/* Reading and writing with a limit on every wait: who keeps the time, what of a
   socket is as it was found, and in which order long and short pieces leave.
   SPDX-License-Identifier: ISC */
#include "system/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

enum { FAR_TOO_LONG = 30, MUCH = 300000 };

static bool fills_late(struct stream_in *in)
{
	deadline least = deadline_in(1) - 50, most = deadline_in(FAR_TOO_LONG);
	ssize_t n = stream_fill(in);

	return n < 0 && errno == ETIMEDOUT && deadline_in(0) >= least &&
	       deadline_left(most) > 0;
}

static long told_seconds(int fd)
{
	struct timeval told = { 0 };
	socklen_t size = sizeof told;

	if (getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &told, &size) < 0)
		return -1;
	return (long)told.tv_sec;
}

static void test_time(void)
{
	char room[100];
	struct stream_in in = {
		.seconds = 1, .is_ours = true, .data = room, .size = sizeof room
	};
	int pair[2], ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || pipe(ends) < 0)
		return;
	in.fd = pair[0];
	ok(fills_late(&in), "a socket of ours: nothing came in time");
	is_number(told_seconds(pair[0]), 1, "the socket keeps the time");
	in.seconds = 2;
	is_number(write(pair[1], "abc", 3), 3, "something comes");
	is_number(stream_fill(&in), 3, "and is read");
	is_number(told_seconds(pair[0]), 2, "with another limit");
	stream_give_back(&in);
	is_number(told_seconds(pair[0]), 0, "given back as it was found");
	in.seconds = 1;
	ok(fills_late(&in), "nothing came in time then, either");
	is_number(told_seconds(pair[0]), 0, "and the socket was not told");
	in.is_ours = true;
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	ok(fills_late(&in), "a socket that does not block");
	is_number(told_seconds(pair[0]), 0, "need not keep the time");
	in.is_ours = true;
	in.fd = ends[0];
	ok(fills_late(&in), "a pipe");
	close(pair[1]);
	in.fd = pair[0];
	in.is_ours = true;
	is_number(stream_fill(&in), 0, "the end of a socket");
}

static char byte_of(size_t at)
{
	return (char)(at % 251);
}

/* The exit code says whether all came in order. */
static _Noreturn void read_much(int fd)
{
	char block[1000];
	size_t at = 0;
	ssize_t n;

	usleep(100000);
	while ((n = read(fd, block, sizeof block)) > 0)
		for (ssize_t i = 0; i < n; i++)
			if (block[i] != byte_of(at++)) _exit(1);
	_exit(at == MUCH ? 0 : 2);
}

static void test_pieces(const char *how, enum stream_kind kind, size_t size)
{
	static char collected[4096], bytes[MUCH];
	static const size_t lengths[] = { 1,    3000, 100, 100, 2047,  2048,
					  2049, 1,    0,   1,   20000, 66000 };
	struct stream_out out = {
		.seconds = FAR_TOO_LONG,
		.kind = kind,
		.data = collected,
		.size = size,
	};
	size_t at = 0, piece = 0;
	int ends[2], status = -1, result = 0;
	pid_t reader;

	for (size_t i = 0; i < MUCH; i++) bytes[i] = byte_of(i);
	if (pipe2(ends, O_CLOEXEC) < 0) return;
	reader = fork();
	if (reader == 0) {
		close(ends[1]);
		read_much(ends[0]);
	}
	close(ends[0]);
	if (kind == STREAM_NONBLOCKING) fcntl(ends[1], F_SETFL, O_NONBLOCK);
	out.fd = ends[1];
	while (at < MUCH && result == 0) {
		size_t length = lengths[piece++ % 12];

		if (length > MUCH - at) length = MUCH - at;
		result = stream_put(&out, bytes + at, length);
		at += length;
	}
	is_number(result, 0, how);
	is_number(stream_flush(&out), 0, "flushed");
	close(ends[1]);
	waitpid(reader, &status, 0);
	is_number(status, 0, "all of it came, in order");
}

static int listen_here(struct sockaddr_in *here)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof *here;

	*here = (struct sockaddr_in){ .sin_family = AF_INET };
	here->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)here, sizeof *here) < 0 ||
	    listen(fd, 1) < 0 ||
	    getsockname(fd, (struct sockaddr *)here, &size) < 0)
		exit(99);
	return fd;
}

static void test_ending(void)
{
	char collected[100], room[100];
	struct sockaddr_in here;
	int listener = listen_here(&here), client, server, other;
	struct stream_out out = { .seconds = FAR_TOO_LONG,
				  .is_ending = true,
				  .data = collected,
				  .size = sizeof collected };

	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(client, (struct sockaddr *)&here, sizeof here) < 0) return;
	out.fd = server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	other = dup(server);
	is_number(stream_put_text(&out, "bye"), 0, "the last words");
	is_number(stream_flush(&out), 0, "are said");
	close(server);
	is_number(deadline_wait(client, POLLIN, deadline_in(FAR_TOO_LONG)), 1,
		  "and come, also when somebody has not closed yet");
	is_bytes(room, (size_t)read(client, room, sizeof room), "bye", 3,
		 "whole");
	close(other);
	is_number(read(client, room, sizeof room), 0, "then the end");
}

int main(void)
{
	test_time();
	test_pieces("a pipe that does not block", STREAM_NONBLOCKING, 4096);
	test_pieces("small room", STREAM_NONBLOCKING, 10);
	test_pieces("a pipe that does", STREAM_UNKNOWN, 4096);
	test_ending();
	return done_testing();
}
