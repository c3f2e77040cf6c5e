/* Messages between real sockets, with real descriptors.
   SPDX-License-Identifier: ISC */
#include "system/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap.h"

static int ours, theirs;

static void connect_both(void)
{
	int both[2];

	socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		   both);
	ours = both[0];
	theirs = both[1];
}

static void close_both(void)
{
	close(ours);
	close(theirs);
}

/* The lowest descriptor that is free: the same again when nothing leaked. */
static int lowest_free(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static void send_raw(const char *bytes, size_t length, unsigned count)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int) * 16)];
		struct cmsghdr align;
	} rights = { 0 };
	struct iovec text = { .iov_base = (void *)(size_t)bytes,
			      .iov_len = length };
	struct msghdr message = { .msg_iov = &text, .msg_iovlen = 1 };
	struct cmsghdr header = {
		.cmsg_len = (unsigned)CMSG_LEN(sizeof(int) * count),
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
	};

	/* All of them are descriptor 0. */
	memcpy(rights.bytes, &header, sizeof header);
	if (count) {
		message.msg_control = rights.bytes;
		message.msg_controllen =
			(unsigned)CMSG_SPACE(sizeof(int) * count);
	}
	sendmsg(ours, &message, 0);
}

static void test_round_trip(void)
{
	struct handover sent = { .flags = HANDOVER_ENVIRONMENT,
				 .program = 4711,
				 .client = "192.0.2.1:12\n5" };
	struct handover got;
	int pipe_ends[2];
	char byte = 'x';
	bool right = true;

	if (pipe(pipe_ends) < 0) abort();
	for (int i = 0; i < HANDOVER_DESCRIPTORS; i++)
		sent.descriptors[i] =
			i == HANDOVER_TO_PROGRAM ? pipe_ends[1] : 0;
	ok(handover_receive(theirs, &got) == -1 && errno == EAGAIN,
	   "no message");
	ok(handover_send(ours, &sent) == 0, "sent");
	ok(handover_receive(theirs, &got) == 1, "received");
	ok(got.flags == HANDOVER_ENVIRONMENT && got.program == 4711,
	   "flags and pid");
	is_text(got.client, "192.0.2.1:12?5", "the client's text is printable");
	for (int i = 0; i < HANDOVER_DESCRIPTORS; i++)
		if (!(fcntl(got.descriptors[i], F_GETFD) & FD_CLOEXEC))
			right = false;
	ok(right, "descriptors are close-on-exec");
	right = write(got.descriptors[HANDOVER_TO_PROGRAM], "y", 1) == 1 &&
		read(pipe_ends[0], &byte, 1) == 1 && byte == 'y';
	ok(right, "each descriptor is in its place");
	handover_close(&got);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
}

static void refuses(const char *bytes, size_t length, unsigned count,
		    const char *name)
{
	struct handover got;
	int free_before = lowest_free();

	send_raw(bytes, length, count);
	ok(handover_receive(theirs, &got) == -1 && errno == EPROTO &&
		   lowest_free() == free_before,
	   name);
}

static void test_bad_messages(void)
{
	static const char good[] = "TLS1\0\0\0\0\1\0\0\0client";
	static const char flags[] = "TLS1\x80\0\0\0\1\0\0\0client";
	static const char group[] = "TLS1\0\0\0\0\377\377\377\377client";
	static const char nul[] = "TLS1\0\0\0\0\1\0\0\0cli\0nt";
	static const char version[] = "TLS2\0\0\0\0\1\0\0\0client";
	char large[4096] = "TLS1\0\0\0\0\1\0\0\0";
	struct handover got;

	memset(large + 12, 'x', sizeof large - 12);
	refuses(good, sizeof good - 1, 0, "no descriptors");
	refuses(good, sizeof good - 1, 4, "too few");
	refuses(good, sizeof good - 1, 6, "one too many");
	refuses(good, sizeof good - 1, 16, "far too many");
	refuses(good, 11, 5, "too short");
	refuses(good, 0, 0, "empty: that is no end");
	refuses(good, 0, 5, "empty, with descriptors");
	refuses(large, 12 + HANDOVER_CLIENT - 1 + 1, 5, "one byte too long");
	refuses(large, sizeof large, 5, "far too long");
	refuses(flags, sizeof flags - 1, 5, "a flag of the future");
	refuses(group, sizeof group - 1, 5, "a negative pid");
	refuses(nul, sizeof nul - 1, 5, "a NUL in the text");
	refuses(version, sizeof version - 1, 5, "another version");
	send_raw(good, sizeof good - 1, 5);
	ok(handover_receive(theirs, &got) == 1, "and a good one is taken");
	handover_close(&got);
	send_raw(large, 12 + HANDOVER_CLIENT - 1, 5);
	ok(handover_receive(theirs, &got) == 1 &&
		   strlen(got.client) == HANDOVER_CLIENT - 1,
	   "the longest text");
	handover_close(&got);
}

static void test_no_room(void)
{
	struct handover got;
	struct rlimit before, low;
	int free_before = lowest_free();

	getrlimit(RLIMIT_NOFILE, &before);
	low = before;
	low.rlim_cur = (rlim_t)free_before + 3;
	send_raw("TLS1\0\0\0\0\1\0\0\0", 12, 5);
	setrlimit(RLIMIT_NOFILE, &low);
	ok(handover_receive(theirs, &got) == -1 && errno == EMFILE,
	   "no room for descriptors");
	setrlimit(RLIMIT_NOFILE, &before);
	ok(lowest_free() == free_before, "those that had room are closed");
}

int main(void)
{
	struct handover got;

	connect_both();
	test_round_trip();
	test_bad_messages();
	test_no_room();
	close(ours);
	ok(handover_receive(theirs, &got) == 0, "the end");
	close_both();
	return done_testing();
}
