/* Making a constant database (cdb), for system/table.h and every other reader
   of the format to read: start on an empty file, add records, finish. The
   surprise: equal keys are all kept and the first one is found, so the others
   are lost to readers; the maker sees them while it makes the hash tables, where
   a record comes to stand behind those before it that have its hash. So finding
   them costs no memory that grows with the file.
   SPDX-License-Identifier: ISC */
#ifndef SYSTEM_TABLE_MAKER_H
#define SYSTEM_TABLE_MAKER_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum {
	TABLE_PARTS = 256,   /* hash tables of a file */
	TABLE_REPEATS = 256, /* more would be read by nobody */
};

struct table_entries;

struct table_maker {
	int fd;
	uint64_t place;     /* of the next record */
	struct str pending; /* bytes that are not yet written */
	struct table_entries *first[TABLE_PARTS];
	struct table_entries *last[TABLE_PARTS];
};

/* Each 0, or -1 with errno; EFBIG for more than 4 GiB. The file must be open
   for reading and writing; the caller syncs and renames. */
int table_make_start(struct table_maker *, int fd);
int table_make_add(struct table_maker *, const void *key, size_t length,
		   const void *value, size_t value_length);

/* A record that is never found, and the one that is instead. */
struct table_repeat {
	unsigned long record;
	unsigned long first;
};

/* Start with {0}. */
struct table_repeats {
	struct table_repeat found[TABLE_REPEATS]; /* the earliest, in order */
	size_t used;
	size_t count; /* of all; those not kept go by their hashes alone */

	/* The records' numbers, as steps; most need one byte. */
	struct str steps;
	unsigned long last;
};

/* For every record, when it is added, if repeats are wanted: the number that it
   has for the caller, like that of a line; never less than the one before. */
void table_make_number(struct table_repeats *, unsigned long number);

/* Gives the maker's memory back, whatever happens. The repeats may be NULL. */
int table_make_finish(struct table_maker *, struct table_repeats *);

#endif
