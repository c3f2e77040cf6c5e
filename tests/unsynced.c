/* Linked into a queue program instead of libc's fsync and fdatasync, so that
   tests/power-cut can show that it would notice: this program says of every
   folder that it has been flushed, and does not flush it. With UNSYNCED=files in
   the environment it lies about files, and flushes folders.
   SPDX-License-Identifier: ISC */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);

static bool is_passed_over(int fd)
{
	const char *wanted = getenv("UNSYNCED");
	bool files = wanted && strcmp(wanted, "files") == 0;
	struct stat it;

	return fstat(fd, &it) == 0 && S_ISDIR(it.st_mode) != files;
}

int __wrap_fsync(int fd)
{
	return is_passed_over(fd) ? 0 : __real_fsync(fd);
}

int __wrap_fdatasync(int fd)
{
	return is_passed_over(fd) ? 0 : __real_fdatasync(fd);
}
