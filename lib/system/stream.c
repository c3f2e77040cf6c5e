/* SPDX-License-Identifier: ISC */
#include "system/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	/* To copy more costs more than to write it by itself; also two pages,
	   which have to be found for it first. */
	LONG_PIECE = 2048,
	/* Of what a socket can be told; the kernel has its own longest. */
	LONGEST_SECONDS = 1000000,
};

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

/* True when a read of the socket ends by itself after `seconds`. */
static bool socket_keeps_time(struct stream_in *in)
{
	struct timeval limit = { .tv_sec = (time_t)in->seconds };

	if (!in->is_ours || in->until || in->seconds == 0) return false;
	if (in->socket_seconds == in->seconds) return true;
	if (in->seconds > LONGEST_SECONDS) return false;
	in->is_ours = setsockopt(in->fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
				 sizeof limit) == 0;
	if (in->is_ours) in->socket_seconds = in->seconds;
	return in->is_ours;
}

void stream_give_back(struct stream_in *in)
{
	const struct timeval none = { 0 };

	if (in->socket_seconds)
		(void)setsockopt(in->fd, SOL_SOCKET, SO_RCVTIMEO, &none,
				 sizeof none);
	in->socket_seconds = 0;
	in->is_ours = false;
}

/* A socket that does not wait at all has not kept time: it is poll's then. */
static bool time_is_up(struct stream_in *in)
{
	int flags = fcntl(in->fd, F_GETFL);

	if (flags >= 0 && !(flags & O_NONBLOCK)) return true;
	stream_give_back(in);
	return false;
}

ssize_t stream_fill(struct stream_in *in)
{
	bool keeps_time;
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
		keeps_time = socket_keeps_time(in);
		if (!keeps_time && wait_until_ready(in->fd, POLLIN, in->seconds,
						    in->until) <= 0)
			return -1;
		n = read(in->fd, in->data + in->end, in->size - in->end);
		if (n < 0 && errno == EAGAIN && keeps_time && time_is_up(in)) {
			errno = ETIMEDOUT;
			return -1;
		}
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n > 0) in->end += (size_t)n;
	return n;
}

static ssize_t write_once(int fd, enum stream_kind *kind, const void *bytes,
			  size_t length, int socket_flags)
{
	ssize_t n;

	switch (*kind) {
	case STREAM_UNKNOWN:
	case STREAM_SOCKET:
		n = send(fd, bytes, length,
			 MSG_DONTWAIT | MSG_NOSIGNAL | socket_flags);
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

ssize_t stream_write_some(int fd, enum stream_kind *kind, const void *bytes,
			  size_t length)
{
	return write_once(fd, kind, bytes, length, 0);
}

static ssize_t write_some(struct stream_out *out, const char *bytes,
			  size_t length)
{
	return write_once(out->fd, &out->kind, bytes, length,
			  out->is_ending ? MSG_MORE : 0);
}

static int write_all(struct stream_out *out, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = 0;

		if (out->kind != STREAM_PIPE)
			n = write_some(out, bytes, length);
		if (n == 0) {
			if (wait_until_ready(out->fd, POLLOUT, out->seconds,
					     out->until) <= 0)
				return -1;
			n = write_some(out, bytes, length);
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

/* What was collected goes first, by the same call where that cannot wait. */
static int put_long(struct stream_out *out, const char *bytes, size_t length)
{
	/* writev changes nothing, whatever its types say. */
	const union {
		const char *given;
		void *taken;
	} text = { .given = bytes };
	struct iovec pieces[] = {
		{ .iov_base = out->data, .iov_len = out->end },
		{ .iov_base = text.taken, .iov_len = length },
	};
	size_t written = 0, collected = out->end;
	ssize_t n = 0;

	if (collected > 0 && out->kind == STREAM_NONBLOCKING)
		n = writev(out->fd, pieces, 2);
	if (n > 0) written = (size_t)n;
	out->end = 0;
	if (written < collected) {
		if (write_all(out, out->data + written, collected - written) <
		    0)
			return -1;
		written = collected;
	}
	written -= collected;
	return write_all(out, bytes + written, length - written);
}

int stream_put(struct stream_out *out, const void *bytes, size_t length)
{
	if (length > out->size ||
	    (length >= LONG_PIECE && out->kind == STREAM_NONBLOCKING))
		return put_long(out, bytes, length);
	if (length > out->size - out->end && stream_flush(out) < 0) return -1;
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
