/* send PORT MESSAGES SESSIONS EACH SIZE: sends MESSAGES of SIZE bytes to an SMTP
   server on 127.0.0.1, in SESSIONS sessions at a time, EACH of them over one
   connection; waits for every reply, as a client without PIPELINING does.
   Prints how many a second were accepted; anything but the expected reply ends
   it. It does as little as a client can, so that what is measured is the server.
   SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_SESSIONS = 256, REPLY_ROOM = 2048 };

/* What is sent after each reply, and the reply that allows it. */
enum step { GREETED, HELO, MAIL, RCPT, DATA, BODY, QUIT, STEPS };

static const char *const expected[STEPS] = {
	[GREETED] = "220", [HELO] = "250", [MAIL] = "250", [RCPT] = "250",
	[DATA] = "354",    [BODY] = "250", [QUIT] = "221",
};

static const char *commands[STEPS] = {
	[HELO] = "HELO client.example\r\n",
	[MAIL] = "MAIL FROM:<a@example.org>\r\n",
	[RCPT] = "RCPT TO:<b@example.org>\r\n",
	[DATA] = "DATA\r\n",
	[QUIT] = "QUIT\r\n",
};

struct session {
	enum step step; /* what was sent last */
	long left;      /* messages over this connection */
};

static struct sockaddr_in server = { .sin_family = AF_INET };
static struct pollfd open_sessions[MOST_SESSIONS];
static struct session sessions[MOST_SESSIONS];
static long not_begun, accepted;

static double seconds(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static _Noreturn void fail(const char *why)
{
	fprintf(stderr, "send: %s\n", why);
	exit(111);
}

/* Takes its share of the messages; closes the place when there are none. */
static void begin(long i, long each)
{
	const int on = 1;
	int fd = -1;

	sessions[i].left = each < not_begun ? each : not_begun;
	sessions[i].step = GREETED;
	not_begun -= sessions[i].left;
	if (sessions[i].left > 0) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (fd < 0 ||
		    connect(fd, (struct sockaddr *)&server, sizeof server) < 0)
			fail("cannot connect");
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	}
	open_sessions[i] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

static enum step next_step(struct session *session)
{
	if (session->step != BODY) return session->step + 1;
	accepted++;
	return --session->left > 0 ? MAIL : QUIT;
}

static void answer(long i, long each)
{
	struct session *session = &sessions[i];
	char reply[REPLY_ROOM + 1];
	int fd = open_sessions[i].fd;
	ssize_t n = read(fd, reply, REPLY_ROOM);
	const char *command;

	if (n <= 0) fail("the server hung up");
	reply[n] = '\0';
	if (strncmp(reply, expected[session->step], 3) != 0) fail(reply);
	if (session->step == QUIT) {
		close(fd);
		begin(i, each);
		return;
	}
	session->step = next_step(session);
	command = commands[session->step];
	if (write(fd, command, strlen(command)) != (ssize_t)strlen(command))
		fail("cannot write");
}

/* Lines of 70 bytes, and the end. */
static const char *make_body(size_t size)
{
	char *body = malloc(size + 256);
	size_t at = 0;

	if (!body) fail("out of memory");
	at += (size_t)sprintf(body, "Subject: a message\r\n\r\n");
	while (at < size) {
		memset(body + at, 'x', 68);
		memcpy(body + at + 68, "\r\n", 2);
		at += 70;
	}
	memcpy(body + at, ".\r\n", 4);
	return body;
}

int main(int argc, char **argv)
{
	long number[5] = { 0 };
	double start;

	for (int i = 0; i < 5 && i + 1 < argc; i++)
		number[i] = atol(argv[i + 1]);
	if (argc != 6 || number[0] < 1 || number[1] < 1 || number[2] < 1 ||
	    number[2] > MOST_SESSIONS || number[3] < 1 || number[4] < 1)
		return 100;
	server.sin_port = htons((unsigned short)number[0]);
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	not_begun = number[1];
	commands[BODY] = make_body((size_t)number[4]);
	start = seconds();
	for (long i = 0; i < number[2]; i++) begin(i, number[3]);
	while (accepted < number[1]) {
		poll(open_sessions, (nfds_t)number[2], -1);
		for (long i = 0; i < number[2]; i++)
			if (open_sessions[i].fd >= 0 &&
			    open_sessions[i].revents)
				answer(i, number[3]);
	}
	printf("%.1f\n", (double)number[1] / (seconds() - start));
	return 0;
}
