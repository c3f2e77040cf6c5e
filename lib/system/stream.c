/* SPDX-License-Identifier: ISC */
#include "system/stream.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* As poll. */
static int wait_until_ready(int fd, short events, unsigned long seconds,
			    deadline until)
{
	int ready;

	if (!until) ready = deadline_wait_for(fd, events, seconds);
	else if (deadline_left(until) == 0) ready = 0;
	else ready = deadline_wait(fd, events, until);
	if (ready == 0) errno = ETIMEDOUT;
	return ready;
}

ssize_t stream_fill(struct stream_in *in)
{
	ssize_t n;

	if (in->start == in->end) in->start = in->end = 0;
	if (in->end == in->size && in->start > 0) {
		memmove(in->data, in->data + in->start, in->end - in->start);
		in->end -= in->start;
		in->start = 0;
	}
	if (in->end == in->size) {
		errno = ENOBUFS;
		return -1;
	}
	do {
		if (wait_until_ready(in->fd, POLLIN, in->seconds, in->until) <=
		    0)
			return -1;
		n = read(in->fd, in->data + in->end, in->size - in->end);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n > 0) in->end += (size_t)n;
	return n;
}

ssize_t stream_write_some(int fd, enum stream_kind *kind, const void *bytes,
			  size_t length)
{
	ssize_t n;

	switch (*kind) {
	case STREAM_UNKNOWN:
	case STREAM_SOCKET:
		n = send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n >= 0) *kind = STREAM_SOCKET;
		if (n < 0 && errno == ENOTSOCK) {
			*kind = STREAM_PIPE;
			return 0;
		}
		break;
	case STREAM_PIPE:
		if (length > PIPE_BUF) length = PIPE_BUF;
		n = write(fd, bytes, length);
		break;
	case STREAM_NONBLOCKING:
	default: n = write(fd, bytes, length); break;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
	return n;
}

static int write_all(struct stream_out *out, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = 0;

		if (out->kind != STREAM_PIPE)
			n = stream_write_some(out->fd, &out->kind, bytes,
					      length);
		if (n == 0) {
			if (wait_until_ready(out->fd, POLLOUT, out->seconds,
					     out->until) <= 0)
				return -1;
			n = stream_write_some(out->fd, &out->kind, bytes,
					      length);
		}
		if (n < 0) return -1;
		if (n == 0) continue;
		bytes += n;
		length -= (size_t)n;
	}
	return 0;
}

int stream_flush(struct stream_out *out)
{
	size_t length = out->end;

	out->end = 0;
	return write_all(out, out->data, length);
}

int stream_put(struct stream_out *out, const void *bytes, size_t length)
{
	if (length > out->size - out->end && stream_flush(out) < 0) return -1;
	if (length > out->size) return write_all(out, bytes, length);
	memcpy(out->data + out->end, bytes, length);
	out->end += length;
	return 0;
}

int stream_put_text(struct stream_out *out, const char *text)
{
	return stream_put(out, text, strlen(text));
}

void stream_shut(int out)
{
	if (shutdown(out, SHUT_WR) < 0) close(out);
}

void stream_drain(int in, deadline until)
{
	char thrown_away[4096];
	size_t total = 0;

	while (total < STREAM_DRAIN_LIMIT &&
	       deadline_wait(in, POLLIN, until) == 1) {
		ssize_t n = read(in, thrown_away, sizeof thrown_away);

		if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
			return;
		if (n > 0) total += (size_t)n;
	}
}
