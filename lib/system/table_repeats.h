/* The records of a table that are never found, because one before them has
   their key. They are seen in the finished hash tables, where a record stands
   behind those before it that have its hash: so looking for them costs a look
   at each slot, and no memory that grows with the table.
   SPDX-License-Identifier: ISC */
#ifndef SYSTEM_TABLE_REPEATS_H
#define SYSTEM_TABLE_REPEATS_H

#include <stddef.h>

#include "base/str.h"

/* What number each record has for the caller, like that of a line: the next
   one's is never below the one's before. Start with {0}, most need one byte. */
struct table_numbers {
	struct str steps;
	unsigned long last;
};

/* For every record that is added, in their order. */
void table_number(struct table_numbers *, unsigned long number);

/* More of them would be read by nobody. */
enum { TABLE_REPEATS = 256 };

struct table_repeat {
	unsigned long record; /* their numbers */
	unsigned long first;
};

struct table_repeats {
	struct table_repeat found[TABLE_REPEATS]; /* the earliest, in order */
	size_t used;
	size_t count; /* of all; those not kept go by their hashes alone */
};

/* For the descriptor that table_make_finish has filled. 0, or -1 with errno. */
int table_find_repeats(int fd, const struct table_numbers *,
		       struct table_repeats *);

#endif
