/* recipients PORT COUNT ADDRESSES: offers COUNT recipients to an SMTP server on
   127.0.0.1, over one connection, a reply awaited before each next one; they are
   u0@example.org and so on, ADDRESSES of them, in an order without a pattern.
   Prints how many a second were accepted; anything but 250 ends it.
   SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REPLY_ROOM = 2048, TO_ONE_MESSAGE = 1000 };

static double seconds(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static _Noreturn void fail(const char *why)
{
	fprintf(stderr, "recipients: %s\n", why);
	exit(111);
}

/* No reply that is wanted here has more than one line. */
static void expect(int fd, const char *code)
{
	char reply[REPLY_ROOM + 1];
	ssize_t n = read(fd, reply, REPLY_ROOM);

	if (n <= 0) fail("the server hung up");
	reply[n] = '\0';
	if (strncmp(reply, code, 3) != 0) fail(reply);
}

static void say(int fd, const char *command, const char *code)
{
	if (write(fd, command, strlen(command)) != (ssize_t)strlen(command))
		fail("cannot write");
	expect(fd, code);
}

static int connected_to(unsigned long port)
{
	struct sockaddr_in server = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	server.sin_port = htons((unsigned short)port);
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&server, sizeof server) < 0)
		fail("cannot connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return fd;
}

int main(int argc, char **argv)
{
	unsigned long number[3] = { 0 };
	uint64_t at = 1;
	char command[64];
	double start;
	int fd;

	for (int i = 0; i < 3 && i + 1 < argc; i++)
		number[i] = strtoul(argv[i + 1], NULL, 10);
	if (argc != 4 || !number[0] || !number[1] || !number[2]) return 100;
	fd = connected_to(number[0]);
	expect(fd, "220");
	say(fd, "HELO client.example\r\n", "250");
	start = seconds();
	for (unsigned long i = 0; i < number[1]; i++) {
		if (i % TO_ONE_MESSAGE == 0) {
			say(fd, "RSET\r\n", "250");
			say(fd, "MAIL FROM:<a@example.net>\r\n", "250");
		}
		/* A linear congruential generator; its upper bits are good. */
		at = at * 6364136223846793005u + 1442695040888963407u;
		snprintf(command, sizeof command,
			 "RCPT TO:<u%lu@example.org>\r\n",
			 (unsigned long)(at >> 33) % number[2]);
		say(fd, command, "250");
	}
	printf("%.1f\n", (double)number[1] / (seconds() - start));
	say(fd, "QUIT\r\n", "221");
	return 0;
}
