/* SPDX-License-Identifier: ISC */
#include "system/handover.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"

/* The message: these four bytes, flags and pid in the machine's own order (it
   never leaves the machine), then the client's text without a NUL. */
static const char version[4] = { 'T', 'L', 'S', '1' };

enum {
	AT_FLAGS = sizeof version,
	AT_PROGRAM = AT_FLAGS + sizeof(uint32_t),
	AT_CLIENT = AT_PROGRAM + sizeof(uint32_t),
	KNOWN_FLAGS = HANDOVER_IMMEDIATE | HANDOVER_ENVIRONMENT,
	/* One too many is seen as such; more than that the kernel cuts off. */
	MOST_RECEIVED = HANDOVER_DESCRIPTORS + 1,
};

union rights {
	char bytes[CMSG_SPACE(sizeof(int) * MOST_RECEIVED)];
	struct cmsghdr align;
};

int handover_send(int socket, const struct handover *session)
{
	size_t client = strnlen(session->client, HANDOVER_CLIENT - 1);
	uint32_t flags = session->flags, program = (uint32_t)session->program;
	size_t size = sizeof session->descriptors;
	char bytes[HANDOVER_MESSAGE];
	union rights rights = { 0 };
	struct iovec text = { .iov_base = bytes,
			      .iov_len = AT_CLIENT + client };
	struct msghdr message = { .msg_iov = &text,
				  .msg_iovlen = 1,
				  .msg_control = rights.bytes,
				  .msg_controllen =
					  (unsigned)CMSG_SPACE(size) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	ssize_t sent;

	memcpy(bytes, version, sizeof version);
	memcpy(bytes + AT_FLAGS, &flags, sizeof flags);
	memcpy(bytes + AT_PROGRAM, &program, sizeof program);
	memcpy(bytes + AT_CLIENT, session->client, client);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = (unsigned)CMSG_LEN(size);
	memcpy(CMSG_DATA(header), session->descriptors, size);
	do sent = sendmsg(socket, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -1 : 0;
}

int handover_parse(const void *bytes, size_t length, struct handover *session)
{
	const char *from = bytes;
	char client[HANDOVER_CLIENT];
	uint32_t flags, program;

	errno = EPROTO;
	if (length < AT_CLIENT || length - AT_CLIENT >= HANDOVER_CLIENT)
		return -1;
	if (memcmp(from, version, sizeof version) != 0) return -1;
	memcpy(&flags, from + AT_FLAGS, sizeof flags);
	memcpy(&program, from + AT_PROGRAM, sizeof program);
	if (flags & ~(uint32_t)KNOWN_FLAGS || program > INT32_MAX) return -1;
	if (memchr(from + AT_CLIENT, '\0', length - AT_CLIENT)) return -1;
	session->flags = flags;
	session->program = (pid_t)program;
	memcpy(client, from + AT_CLIENT, length - AT_CLIENT);
	client[length - AT_CLIENT] = '\0';
	printable_text(session->client, sizeof session->client, client);
	return 0;
}

/* Closes whatever came when it is not what should have come. */
static int take_descriptors(const struct msghdr *message, int taken[])
{
	const char *control = message->msg_control;
	struct cmsghdr header;
	size_t count = 0;
	bool cut = message->msg_flags & MSG_CTRUNC;

	for (size_t at = 0; at + sizeof header <= message->msg_controllen;
	     at += CMSG_ALIGN(header.cmsg_len)) {
		memcpy(&header, control + at, sizeof header);
		if (header.cmsg_len < sizeof header) break;
		if (header.cmsg_level != SOL_SOCKET ||
		    header.cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = CMSG_LEN(0); i + sizeof(int) <= header.cmsg_len;
		     i += sizeof(int), count++) {
			int fd;

			memcpy(&fd, control + at + i, sizeof fd);
			if (count < HANDOVER_DESCRIPTORS) taken[count] = fd;
			else close(fd);
		}
	}
	if (count == HANDOVER_DESCRIPTORS && !cut) return 0;
	for (size_t i = 0; i < count && i < HANDOVER_DESCRIPTORS; i++)
		close(taken[i]);
	errno = cut && count < HANDOVER_DESCRIPTORS ? EMFILE : EPROTO;
	return -1;
}

/* A message may be empty, and looks like an end then. */
static int end_or_empty(int socket)
{
	struct pollfd watched = { .fd = socket, .events = POLLIN };

	if (poll(&watched, 1, 0) > 0 && watched.revents & POLLHUP) return 0;
	errno = EPROTO;
	return -1;
}

int handover_receive(int socket, struct handover *session)
{
	char bytes[HANDOVER_MESSAGE];
	union rights rights;
	struct iovec text = { .iov_base = bytes, .iov_len = sizeof bytes };
	struct msghdr message = { .msg_iov = &text,
				  .msg_iovlen = 1,
				  .msg_control = rights.bytes,
				  .msg_controllen = sizeof rights.bytes };
	ssize_t length;

	do length = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (length < 0 && errno == EINTR);
	if (length < 0) return -1;
	if (length == 0 && message.msg_controllen == 0 &&
	    !(message.msg_flags & MSG_CTRUNC))
		return end_or_empty(socket);
	if (take_descriptors(&message, session->descriptors) < 0) return -1;
	if (!(message.msg_flags & MSG_TRUNC) &&
	    handover_parse(bytes, (size_t)length, session) == 0)
		return 1;
	handover_close(session);
	errno = EPROTO;
	return -1;
}

void handover_close(struct handover *session)
{
	for (int i = 0; i < HANDOVER_DESCRIPTORS; i++)
		close(session->descriptors[i]);
}
