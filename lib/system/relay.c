/* SPDX-License-Identifier: ISC */
#include "system/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/syscall.h>
#include <unistd.h>

struct pollfd relay_watch(const struct relay_way *way)
{
	if (way->end > 0)
		return (struct pollfd){ .fd = way->out, .events = POLLOUT };
	return (struct pollfd){ .fd = way->in, .events = POLLIN };
}

static enum relay_result write_on(struct relay_way *way)
{
	ssize_t n = stream_write_some(way->out, &way->kind,
				      way->data + way->written,
				      way->end - way->written);

	if (n < 0) return RELAY_CANNOT_WRITE;
	way->written += (size_t)n;
	if (way->written == way->end) way->written = way->end = 0;
	return RELAY_GOES_ON;
}

enum relay_result relay_step(struct relay_way *way,
			     const struct pollfd *watched)
{
	size_t limit = way->read_limit ? way->read_limit : sizeof way->data;
	ssize_t n;

	if (watched->fd < 0 || !watched->revents) return RELAY_GOES_ON;
	if (way->end > 0) return write_on(way);
	n = read(way->in, way->data, limit);
	if (n == 0) return RELAY_IS_AT_END;
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? RELAY_GOES_ON
							 : RELAY_CANNOT_READ;
	way->end = (size_t)n;
	return RELAY_HAS_READ;
}

int relay_keep_off_standard(int fd)
{
	int moved;

	if (fd > STDERR_FILENO) return fd;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	close(fd);
	return moved;
}

int relay_pipe(int *read_end, int *write_end)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0) return -1;
	*read_end = relay_keep_off_standard(ends[0]);
	*write_end = relay_keep_off_standard(ends[1]);
	return *read_end < 0 || *write_end < 0 ? -1 : 0;
}

static void close_range_of(int first, int last)
{
	if (first > last) return;
	if (syscall(SYS_close_range, first, last, 0) == 0) return;
	/* A kernel before 5.9. */
	if (last > 1023) last = 1023;
	for (int fd = first; fd <= last; fd++) close(fd);
}

void relay_keep_only(int *kept, size_t count)
{
	int first = STDERR_FILENO + 1;

	for (size_t i = 0; i < count; i++) {
		size_t least = i;
		int fd;

		for (size_t j = i + 1; j < count; j++)
			if (kept[j] < kept[least]) least = j;
		fd = kept[least];
		kept[least] = kept[i];
		kept[i] = fd;
		close_range_of(first, fd - 1);
		first = fd + 1;
	}
	close_range_of(first, INT_MAX);
}

void relay_make_nonblocking(int fd)
{
	(void)fcntl(fd, F_SETFL, O_WRONLY | O_NONBLOCK);
}
