/* SPDX-License-Identifier: ISC */
#include "mail/greylist_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "system/file.h"

/* Which folder of the tree it is:

	TOP/001/002/003             a network of version 4
	TOP/001/002/003/004         an address of it
	TOP/2001/0db800010002       a network of version 6
	TOP/2001/0db800010002-0…3   an address of it */
enum place { TOP, OCTET_1, OCTET_2, OCTET_3, HEXTET };

enum { MAY_BE_FOLDER = 1, MAY_BE_ENTRY = 2 };

enum {
	OCTET_DIGITS = 3,
	HEXTET_DIGITS = 4,
	NETWORK_DIGITS = 12,
	HOST_DIGITS = 16
};

/* Not an answer: the search goes on. */
enum { NOTHING = WALK_END + 1 };

static bool is_octet(const char *name)
{
	return strspn(name, "0123456789") == OCTET_DIGITS &&
	       !name[OCTET_DIGITS] && strcmp(name, "255") <= 0;
}

static bool is_hextet(const char *name)
{
	return strspn(name, "0123456789abcdef") == HEXTET_DIGITS &&
	       !name[HEXTET_DIGITS];
}

static bool is_rest_of_ipv6(const char *name)
{
	static const char digits[] = "0123456789abcdef";

	if (strspn(name, digits) != NETWORK_DIGITS) return false;
	name += NETWORK_DIGITS;
	if (!*name) return true;
	return *name == '-' && strspn(name + 1, digits) == HOST_DIGITS &&
	       !name[1 + HOST_DIGITS];
}

static unsigned may_be(enum place place, const char *name)
{
	switch (place) {
	case TOP: return is_octet(name) || is_hextet(name) ? MAY_BE_FOLDER : 0;
	case OCTET_1: return is_octet(name) ? MAY_BE_FOLDER : 0;
	case OCTET_2: return is_octet(name) ? MAY_BE_FOLDER | MAY_BE_ENTRY : 0;
	case OCTET_3: return is_octet(name) ? MAY_BE_ENTRY : 0;
	case HEXTET: return is_rest_of_ipv6(name) ? MAY_BE_ENTRY : 0;
	}
	return 0;
}

static enum place place_below(enum place place, const char *name)
{
	if (place == TOP) return is_octet(name) ? OCTET_1 : HEXTET;
	return place == OCTET_1 ? OCTET_2 : OCTET_3;
}

static struct greylist_walk_level *innermost(struct greylist_walk *walk)
{
	return &walk->level[walk->depth - 1];
}

/* The walk has the descriptor, or it is closed. */
static int go_into(struct greylist_walk *walk, int fd, size_t path_length,
		   enum place place)
{
	struct greylist_walk_level *level = &walk->level[walk->depth];

	level->entries = fdopendir(fd);
	if (!level->entries) {
		file_close(fd);
		return -1;
	}
	level->path_length = path_length;
	level->place = place;
	level->names = 0;
	level->was_emptied = false;
	walk->depth++;
	return 0;
}

int greylist_walk_open(struct greylist_walk *walk, const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	walk->depth = 0;
	walk->path[0] = '\0';
	return fd < 0 ? -1 : go_into(walk, fd, 0, TOP);
}

static unsigned strange(struct greylist_walk *walk, const char *reason)
{
	walk->reason = reason;
	return WALK_STRANGE;
}

static unsigned of_another_type(struct greylist_walk *walk, bool is_link,
				unsigned expected)
{
	if (is_link) return strange(walk, "a symbolic link");
	return strange(walk, expected == MAY_BE_FOLDER ? "not a folder"
						       : "not a file");
}

static unsigned gone_meanwhile(struct greylist_walk *walk)
{
	greylist_walk_gone(walk);
	return NOTHING;
}

static unsigned find_folder(struct greylist_walk *walk)
{
	size_t length = strlen(walk->path);
	int fd = openat(walk->folder, walk->name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) return gone_meanwhile(walk);
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return strange(walk, "not a folder");
	if (fd < 0 ||
	    go_into(walk, fd, length + 1,
		    place_below(innermost(walk)->place, walk->name)) < 0)
		return WALK_UNREADABLE;
	walk->path[length] = '/';
	walk->path[length + 1] = '\0';
	return NOTHING;
}

static unsigned find_entry(struct greylist_walk *walk, unsigned expected)
{
	if (fstatat(walk->folder, walk->name, &walk->status,
		    AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? gone_meanwhile(walk) : WALK_UNREADABLE;
	if (S_ISDIR(walk->status.st_mode) && expected & MAY_BE_FOLDER)
		return find_folder(walk);
	if (!S_ISREG(walk->status.st_mode))
		return of_another_type(walk, S_ISLNK(walk->status.st_mode),
				       expected);
	/* Whatever it is, somebody has written it, and jgreylist never does. */
	if (walk->status.st_size > 0) return strange(walk, "not empty");
	return WALK_ENTRY;
}

static unsigned find(struct greylist_walk *walk, const struct dirent *entry)
{
	struct greylist_walk_level *level = innermost(walk);
	unsigned expected = may_be(level->place, entry->d_name);

	walk->folder = dirfd(level->entries);
	walk->name = walk->path + level->path_length;
	level->names++;
	memcpy(walk->path + level->path_length, entry->d_name,
	       strlen(entry->d_name) + 1);

	if (level->place == TOP && strcmp(entry->d_name, "lost+found") == 0)
		return NOTHING;
	if (!expected) return strange(walk, "not a name of a greylist");
	if (entry->d_type == DT_LNK)
		return of_another_type(walk, true, expected);
	if (expected == MAY_BE_FOLDER ||
	    (entry->d_type == DT_DIR && expected & MAY_BE_FOLDER))
		return find_folder(walk);
	return find_entry(walk, expected);
}

/* The path becomes that of the folder again, without a slash. */
static unsigned leave(struct greylist_walk *walk, int cause)
{
	struct greylist_walk_level *left = innermost(walk);
	bool is_empty = !cause && left->names == 0;

	if (walk->depth == 1) {
		closedir(left->entries);
		walk->depth = 0;
		walk->path[0] = '\0';
		walk->name = walk->path;
		errno = cause;
		return cause ? WALK_UNREADABLE : WALK_END;
	}
	walk->was_emptied = left->was_emptied;
	is_empty = is_empty && fstat(dirfd(left->entries), &walk->status) == 0;
	closedir(left->entries);
	walk->depth--;
	walk->folder = dirfd(innermost(walk)->entries);
	walk->path[left->path_length - 1] = '\0';
	walk->name = walk->path + innermost(walk)->path_length;
	errno = cause;
	if (cause) return WALK_UNREADABLE;
	return is_empty ? WALK_EMPTY_FOLDER : NOTHING;
}

enum greylist_walk_found greylist_walk_next(struct greylist_walk *walk)
{
	unsigned found = NOTHING;

	while (walk->depth > 0 && found == NOTHING) {
		const struct dirent *entry;

		errno = 0;
		entry = readdir(innermost(walk)->entries);
		if (!entry) found = leave(walk, errno);
		else if (strcmp(entry->d_name, ".") != 0 &&
			 strcmp(entry->d_name, "..") != 0)
			found = find(walk, entry);
	}
	return found == NOTHING ? WALK_END : (enum greylist_walk_found)found;
}

void greylist_walk_gone(struct greylist_walk *walk)
{
	innermost(walk)->names--;
	innermost(walk)->was_emptied = true;
}

void greylist_walk_close(struct greylist_walk *walk)
{
	while (walk->depth > 0) closedir(walk->level[--walk->depth].entries);
}
