/* The messages of a queue as they are found: every name in the folders that hold
   messages, read once, and looked up by number.
   SPDX-License-Identifier: ISC */
#ifndef QUEUE_CHECK_ENTRIES_H
#define QUEUE_CHECK_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/str.h"
#include "queue.h"

/* Behind the number, in every folder, of a message on its way to that number;
   qmail-send passes over such names. */
extern const char moving[];

enum kind { MESS, INTD, TODO, INFO, LOCAL, REMOTE, BOUNCE, KINDS };

struct entry {
	unsigned long number;
	unsigned long folder; /* where it is, if its kind is split */
	unsigned long inode;
	time_t used;
	bool moving;
	bool is_renamed;
};

/* All there was when it was read, by number. */
struct list {
	enum kind kind;
	bool is_split;
	struct str bytes;
	size_t count;
};

struct messages {
	struct queue *queue;
	struct list lists[KINDS];
	bool was_read; /* what is odd has been named */
};

/* What is in the queue now. What is odd is named, the first time. */
void read_messages(struct messages *);

/* A list's, by number. */
struct entry *entries(const struct list *);

/* NULL: there is none. */
const struct entry *find_entry(const struct list *, unsigned long number,
			       bool is_moving);

/* Two, in two folders, are nobody's to choose from. */
bool is_there_twice(const struct messages *, const struct entry *mess);

/* Named by its inode, and where that says. */
bool is_right(const struct messages *, const struct entry *);

/* Paths, in a room of PATH_ROOM bytes, which is returned. */
const char *entry_path(char *room, const struct list *, const struct entry *);

/* Where the message belongs. */
const char *right_path(char *room, const struct messages *, enum kind,
		       unsigned long number, const char *suffix);

/* Puts wrong names right (renaming.c). False: not all of it could be done. */
bool rename_messages(struct messages *);

#endif
