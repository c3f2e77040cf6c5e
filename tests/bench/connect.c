/* connect PORT COUNT CLIENTS: COUNT connections to 127.0.0.1, CLIENTS of them
   at a time, each read to its end; prints how many a second.
   connect -i PORT COUNT: opens COUNT connections, reads the greeting of each,
   prints "open" and keeps them until its standard input ends.
   SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CLIENTS = 256 };

static struct sockaddr_in server = { .sin_family = AF_INET };

static double seconds(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static int open_connection(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&server, sizeof server)) {
		perror("connect");
		exit(111);
	}
	return fd;
}

static void keep_open(long count)
{
	char line[512];

	for (long i = 0; i < count; i++)
		if (read(open_connection(), line, sizeof line) <= 0) exit(111);
	puts("open");
	fflush(stdout);
	while (read(0, line, sizeof line) > 0)
		;
}

static void run(long count, long clients)
{
	struct pollfd open[MOST_CLIENTS];
	long started = 0, ended = 0;
	double begin = seconds();

	for (; started < clients; started++)
		open[started] = (struct pollfd){ open_connection(), POLLIN, 0 };
	while (ended < count) {
		poll(open, (nfds_t)clients, -1);
		for (long i = 0; i < clients; i++) {
			char byte[64];

			if (!open[i].revents) continue;
			if (read(open[i].fd, byte, sizeof byte) > 0) continue;
			close(open[i].fd);
			open[i].fd = -1;
			ended++;
			if (started == count) continue;
			open[i].fd = open_connection();
			started++;
		}
	}
	printf("%.1f\n", (double)count / (seconds() - begin));
}

int main(int argc, char **argv)
{
	int idle = argc == 4 && strcmp(argv[1], "-i") == 0;
	long port = argc == 4 ? atol(argv[idle ? 2 : 1]) : 0;
	long count = argc == 4 ? atol(argv[idle ? 3 : 2]) : 0;
	long clients = idle || argc != 4 ? 1 : atol(argv[3]);

	if (port < 1 || count < clients || clients < 1 ||
	    clients > MOST_CLIENTS)
		return 100;
	server.sin_port = htons((unsigned short)port);
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (idle) keep_open(count);
	else run(count, clients);
	return 0;
}
