/* A file that takes the place of another in one step: it is written beside it
   under a name that nobody can guess, readable by its owner alone, flushed,
   given the rights it shall have, and renamed. Whoever opens the file finds the
   old one or the new one, whole.
   The surprise: the old file's rights are only taken over when it is ours. In a
   folder that all may write to, like /tmp, somebody else's file may be waiting
   under the name, with a group of his choice.
   A signal that ends the process, and its exit, remove what is unfinished; one
   replacement at a time.
   SPDX-License-Identifier: ISC */
#ifndef SYSTEM_REPLACEMENT_H
#define SYSTEM_REPLACEMENT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/str.h"

struct replacement_rights {
	mode_t most; /* of an old file's rights: 0640, for secrets */
	gid_t group; /* who may read, unless the old file says it */
	bool has_group;
	bool group_is_wanted; /* it wins over the old file, and must be had */
	/* Of a new file that nobody's group may read; 0: as of all others. */
	mode_t without_group;
};

/* Start with {0}. */
struct replacement {
	int fd; /* open for reading and writing */
	struct str path;
	struct str temporary;
	struct replacement_rights rights;
};

/* Each 0, or -1 with errno. */
int replacement_start(struct replacement *, const char *path,
		      const struct replacement_rights *);

/* What replacement_finish does before it renames; for a file that was made
   otherwise. A file without an old one gets 0640, or `without_group`. */
int replacement_give_rights(int fd, const char *path,
			    const struct replacement_rights *);

/* Closes the file. */
int replacement_finish(struct replacement *);

#endif
