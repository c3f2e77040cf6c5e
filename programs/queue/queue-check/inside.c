/* SPDX-License-Identifier: ISC */
#include "inside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "system/file.h"

enum { OWNERS_ONLY = 0700, FILE_MODE = 0600 };

/* Where a name is: the calls that take both follow no link at its end. */
struct place {
	int folder; /* AT_FDCWD, or ours to close */
	const char *name;
};

static void leave(const struct place *place)
{
	if (place->folder != AT_FDCWD) file_close(place->folder);
}

/* Folder by folder; O_NOFOLLOW is about the last one of a path only. */
static int find(struct place *place, const char *path)
{
	const char *slash;

	*place = (struct place){ AT_FDCWD, path };
	while ((slash = strchr(place->name, '/'))) {
		char name[NAME_MAX + 1];
		size_t length = (size_t)(slash - place->name);
		int folder;

		if (length >= sizeof name) {
			leave(place);
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(name, place->name, length);
		name[length] = '\0';
		folder = openat(place->folder, name,
				O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		leave(place);
		if (folder < 0) return -1;
		*place = (struct place){ folder, slash + 1 };
	}
	return 0;
}

int inside_look(const char *path, struct stat *it)
{
	struct place place;
	int result;

	if (find(&place, path) < 0) return -1;
	result = fstatat(place.folder, place.name, it, AT_SYMLINK_NOFOLLOW);
	leave(&place);
	return result;
}

int inside_open(const char *path, int flags)
{
	struct place place;
	int fd;

	if (find(&place, path) < 0) return -1;
	fd = openat(place.folder, place.name,
		    flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, FILE_MODE);
	leave(&place);
	return fd;
}

DIR *inside_list(const char *path)
{
	int fd = inside_open(path, O_RDONLY | O_DIRECTORY);
	DIR *list;

	if (fd < 0) return NULL;
	list = fdopendir(fd);
	if (!list) file_close(fd);
	return list;
}

int inside_make_folder(const char *path)
{
	struct place place;
	int result;

	if (find(&place, path) < 0) return -1;
	result = mkdirat(place.folder, place.name, OWNERS_ONLY);
	leave(&place);
	return result;
}

int inside_make_fifo(const char *path)
{
	struct place place;
	int result;

	if (find(&place, path) < 0) return -1;
	result = mkfifoat(place.folder, place.name, FILE_MODE);
	leave(&place);
	return result;
}

int inside_remove(const char *path)
{
	struct place place;
	int result;

	if (find(&place, path) < 0) return -1;
	result = unlinkat(place.folder, place.name, 0);
	leave(&place);
	return result;
}

static int find_both(struct place *a, const char *from, struct place *b,
		     const char *to)
{
	if (find(a, from) < 0) return -1;
	if (find(b, to) == 0) return 0;
	leave(a);
	return -1;
}

int inside_link(const char *from, const char *to)
{
	struct place a, b;
	int result;

	if (find_both(&a, from, &b, to) < 0) return -1;
	result = linkat(a.folder, a.name, b.folder, b.name, 0);
	leave(&b);
	leave(&a);
	return result;
}

int inside_rename(const char *from, const char *to)
{
	struct place a, b;
	int result;

	if (find_both(&a, from, &b, to) < 0) return -1;
	result = renameat(a.folder, a.name, b.folder, b.name);
	leave(&b);
	leave(&a);
	return result;
}
