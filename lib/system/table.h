/* Constant databases (cdb) through tinycdb: a file that is made whole, renamed
   into place and only read afterwards; system/table_maker.h makes them. A damaged
   file is an error, never a crash: every offset is checked.
   SPDX-License-Identifier: ISC */
#ifndef SYSTEM_TABLE_H
#define SYSTEM_TABLE_H

#include <cdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

enum table_answer { TABLE_FOUND, TABLE_ABSENT, TABLE_FAILED };

struct table {
	struct cdb cdb;
	struct stat file; /* as it was when it was opened */
	bool open;
	/* table_find_once's */
	bool asked_once;
	enum table_answer answer;
	const char *value;
	size_t value_length;
};

/* Start with `struct table t = {0}`. 0, or -1 with errno (EPROTO when the file
   is no cdb). The file is mapped: for a process that serves one client. */
int table_open(struct table *, const char *path);

/* The same from a private copy in memory, which a careless write into the
   file cannot pull away: for a process that must not die of it. */
int table_open_copy(struct table *, const char *path);

/* Is the file at `path` no longer the one that was opened? */
bool table_is_outdated(const struct table *, const char *path);

void table_close(struct table *);

/* The first record of that key; the value stays valid until table_close. */
enum table_answer table_find(struct table *, const void *key, size_t length,
			     const char **value, size_t *value_length);

/* The same for the one key of a table that says how to search in it, and is
   asked for again and again: only the first call searches. */
enum table_answer table_find_once(struct table *, const void *key,
				  size_t length, const char **value,
				  size_t *value_length);

struct table_record {
	const char *key;
	size_t key_length;
	const char *value;
	size_t value_length;
};

/* A record of the table, the one that the number picks: the same one for as long
   as the table is the same. TABLE_ABSENT: there is none. */
enum table_answer table_pick(struct table *, uint64_t number,
			     struct table_record *);

/* Every record, in the order they were added. Give `*at` 0 to begin;
   TABLE_ABSENT is the end. */
enum table_answer table_next(struct table *, unsigned *at,
			     struct table_record *);

#endif
