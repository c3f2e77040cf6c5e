/* Linked into a queue program instead of libc's fsync, fdatasync, openat, linkat,
   statfs and sync_file_range, so that tests/power-cut can show that it would notice:
   this program says of every folder that it has been flushed, and does not flush
   it, and nothing at all behind a name in todo/, whose flush may be one of the
   folder. It knows no file system by its kind, so it relies on none. $UNSYNCED is
   files    it lies about files, not even begins to write them, and flushes folders;
   all      it flushes nothing, and knows file systems;
   nothing  it flushes all, but has no O_TMPFILE, as on many file systems.
   SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_openat(int folder, const char *path, int flags, ...);
int __real_sync_file_range(int fd, off_t at, off_t length, unsigned flags);
int __wrap_sync_file_range(int fd, off_t at, off_t length, unsigned flags);
int __real_statfs(const char *path, struct statfs *it);
int __real_linkat(int from_folder, const char *from, int to_folder,
		  const char *to, int flags);
int __wrap_linkat(int from_folder, const char *from, int to_folder,
		  const char *to, int flags);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_openat(int folder, const char *path, int flags, ...);
int __wrap_statfs(const char *path, struct statfs *it);

static bool is_wanted(const char *what)
{
	const char *wanted = getenv("UNSYNCED");

	return wanted && strcmp(wanted, what) == 0;
}

static bool has_name_in_todo;

static bool is_passed_over(int fd)
{
	struct stat it;

	if (is_wanted("nothing")) return false;
	if (has_name_in_todo && !is_wanted("files")) return true;
	return is_wanted("all") || (fstat(fd, &it) == 0 &&
				    S_ISDIR(it.st_mode) != is_wanted("files"));
}

int __wrap_fsync(int fd)
{
	return is_passed_over(fd) ? 0 : __real_fsync(fd);
}

int __wrap_fdatasync(int fd)
{
	return is_passed_over(fd) ? 0 : __real_fdatasync(fd);
}

int __wrap_openat(int folder, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list more;

	if ((flags & O_TMPFILE) == O_TMPFILE && is_wanted("nothing")) {
		errno = EOPNOTSUPP;
		return -1;
	}
	va_start(more, flags);
	if (flags & (O_CREAT | O_TMPFILE)) mode = va_arg(more, mode_t);
	va_end(more);
	return __real_openat(folder, path, flags, mode);
}

int __wrap_statfs(const char *path, struct statfs *it)
{
	if (is_wanted("all")) return __real_statfs(path, it);
	errno = ENOSYS;
	return -1;
}

int __wrap_sync_file_range(int fd, off_t at, off_t length, unsigned flags)
{
	return is_wanted("files")
		       ? 0
		       : __real_sync_file_range(fd, at, length, flags);
}

int __wrap_linkat(int from_folder, const char *from, int to_folder,
		  const char *to, int flags)
{
	if (strncmp(to, "todo/", 5) == 0) has_name_in_todo = true;
	return __real_linkat(from_folder, from, to_folder, to, flags);
}
