/* SPDX-License-Identifier: ISC */
#include "system/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { READ_AT_ONCE = 1024 };

/* Through the stack: most files are small, and asking the heap for a page to
   read each of them into would cost more than the copy. A regular file has
   ended when it gave `enough` bytes or fewer; a pipe only when it gave none. */
static int read_to_end(int fd, struct str *into, size_t limit, ssize_t enough)
{
	char block[READ_AT_ONCE];
	size_t total = 0;
	ssize_t n;

	do {
		n = read(fd, block, sizeof block);
		if (n < 0 && errno == EINTR) {
			n = sizeof block;
			continue;
		}
		if (n < 0) return -1;
		total += (size_t)n;
		if (total > limit) {
			errno = EFBIG;
			return -1;
		}
		str_append(into, block, (size_t)n);
	} while (n > enough);
	return 0;
}

int file_read_rest(int fd, struct str *into, size_t limit)
{
	return read_to_end(fd, into, limit, 0);
}

int file_read(const char *path, struct str *into, size_t limit)
{
	/* openat: musl's open would set FD_CLOEXEC once more by a call. */
	int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int result;

	if (fd < 0) return -1;
	result = read_to_end(fd, into, limit, READ_AT_ONCE - 1);
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
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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
