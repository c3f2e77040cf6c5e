/* Every entry of a greylist's folder tree, one after the other, in the order
   of the folders. Only names of the known shape are looked into, symbolic links
   are never followed, and no more than four folders are open at a time, however
   the tree looks: who can write to it cannot lead a walk out of it.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_GREYLIST_WALK_H
#define MAIL_GREYLIST_WALK_H

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

enum { GREYLIST_WALK_LEVELS = 4, GREYLIST_WALK_PATH = 16 + NAME_MAX + 1 };

enum greylist_walk_found {
	WALK_ENTRY,        /* `status` has its times */
	WALK_EMPTY_FOLDER, /* read to its end; `status` has its times */
	WALK_STRANGE,      /* not of the shape; `reason` says what it is */
	WALK_UNREADABLE,   /* errno says why; the walk can go on */
	WALK_END,
};

struct greylist_walk {
	int folder;       /* what was found is in this open folder */
	const char *name; /* under this name, in `path`; any bytes */
	char path[GREYLIST_WALK_PATH]; /* from the folder of the greylist */
	struct stat status;
	const char *reason;
	bool was_emptied; /* the folder had something when the walk came */

	/* The folders that are open; the walk's own. */
	size_t depth;
	struct greylist_walk_level {
		DIR *entries;
		size_t path_length;
		unsigned place;
		unsigned long names; /* that are left in it */
		bool was_emptied;
	} level[GREYLIST_WALK_LEVELS];
};

/* 0, or -1 with errno. Only here a symbolic link may be the way. */
int greylist_walk_open(struct greylist_walk *, const char *folder);

/* The folder's own lost+found is passed over. What goes away meanwhile is not
   an error. After WALK_END there is nothing to close. */
enum greylist_walk_found greylist_walk_next(struct greylist_walk *);

/* What was found last is gone, or is to be counted so: a folder with nothing
   else in it is then an empty one. */
void greylist_walk_gone(struct greylist_walk *);

/* For who stops before the end. */
void greylist_walk_close(struct greylist_walk *);

#endif
