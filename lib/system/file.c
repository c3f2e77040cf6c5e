/* SPDX-License-Identifier: ISC */
#include "system/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum { READ_AT_FIRST = 1024, READ_AT_ONCE = 65536 };

/* The first bytes through the stack: most files are small, and asking the heap
   for a page to read each of them into would cost more than the copy. A regular
   file has ended when it gave less than it was asked for; a pipe only when it
   gave nothing. */
static int read_to_end(int fd, struct str *into, size_t limit, bool is_file)
{
	char block[READ_AT_FIRST], *room = block;
	size_t asked = sizeof block, total = 0;

	for (;;) {
		ssize_t n = read(fd, room, asked);

		if (n < 0 && errno == EINTR) continue;
		if (n < 0) return -1;
		total += (size_t)n;
		if (total > limit) {
			errno = EFBIG;
			return -1;
		}
		if (room == block) str_append(into, block, (size_t)n);
		else into->length += (size_t)n;
		if (n == 0 || (is_file && (size_t)n < asked)) break;
		if (total < sizeof block) continue;
		asked = READ_AT_ONCE;
		str_reserve(into, asked);
		room = into->data + into->length;
	}
	if (into->data) into->data[into->length] = '\0';
	return 0;
}

int file_read_rest(int fd, struct str *into, size_t limit)
{
	return read_to_end(fd, into, limit, false);
}

int file_read(const char *path, struct str *into, size_t limit)
{
	/* openat: musl's open would set FD_CLOEXEC once more by a call. */
	int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int result;

	if (fd < 0) return -1;
	result = read_to_end(fd, into, limit, true);
	file_close(fd);
	return result;
}

int file_write(int fd, const void *bytes, size_t length)
{
	const char *from = bytes;

	while (length > 0) {
		ssize_t n = write(fd, from, length);

		if (n < 0 && errno == EINTR) continue;
		if (n < 0) return -1;
		from += n;
		length -= (size_t)n;
	}
	return 0;
}

int file_sync_folder(const char *path)
{
	int fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result;

	if (fd < 0) return -1;
	result = fsync(fd);
	file_close(fd);
	return result;
}

int file_sync_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct str folder = { 0 };
	int result;

	if (slash) str_append(&folder, path, (size_t)(slash - path) + 1);
	else str_append_text(&folder, ".");
	result = file_sync_folder(folder.data);
	str_free(&folder);
	return result;
}

void file_close(int fd)
{
	int cause = errno;

	close(fd);
	errno = cause;
}
