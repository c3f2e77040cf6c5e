/* A list of records, keys with values, on the way into a constant database:
   collected in any order, sorted by the bytes of their keys, so that from the
   same records always comes the same file. The surprise: of records with one
   key the first that was added stays; the others are lost to every reader of a
   cdb anyhow.
   A million records take some ten bytes more each than their bytes. Running out
   of memory ends the process, as in base/str.h.
   SPDX-License-Identifier: ISC */
#ifndef SYSTEM_RECORD_LIST_H
#define SYSTEM_RECORD_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "system/replacement.h"

struct record_entry;

/* Start with {0}. */
struct record_list {
	struct str text;
	struct record_entry *entries;
	size_t count;
	size_t room;
};

struct record {
	const char *key;
	size_t key_length;
	const char *value;
	size_t value_length;
};

void record_list_add(struct record_list *, const void *key, size_t key_length,
		     const void *value, size_t value_length);

/* It stays until the next one is added. */
struct record record_list_at(const struct record_list *, size_t number);

/* Records of one key stay in the order in which they were added. */
void record_list_sort(struct record_list *);

/* Of a sorted list. */
void record_list_drop_repeats(struct record_list *);

/* The first record of a sorted list whose key is not before this one: `count`
   when there is none. Keys that begin with it stand there, in a row. */
size_t record_list_place(const struct record_list *, const void *key,
			 size_t length);

/* The first record of exactly that key, in a sorted list. */
bool record_list_find(const struct record_list *, const void *key,
		      size_t length, struct record *);

/* All of it as a cdb, in the place of this file. 0, or -1 with errno. */
int record_list_replace(const struct record_list *, const char *path,
			const struct replacement_rights *);

void record_list_free(struct record_list *);

#endif
