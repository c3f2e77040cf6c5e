/* Access rules in tcprules' format, so that Debian's programs and ours read
   each other's files. A rule's key is the text before the colon; its data is a
   row of items, each ended by a NUL: "D" denies, "+NAME=VALUE" sets a variable;
   allow without variables is no data at all.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_RULES_H
#define MAIL_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "system/table.h"

/* NULL for what is not known. */
struct rules_client {
	const char *ip;
	const char *host;
	const char *info;
};

/* The first rule that matches; `key` is its address as written, `data` points
   into the table. */
struct rules_match {
	struct str key;
	const char *data;
	size_t data_length;
};

/* TABLE_ABSENT: no rule at all, which allows. */
enum table_answer rules_find(struct table *, const struct rules_client *,
			     struct rules_match *);

/* Walks a rule's data. Give `*at` 0 to begin; the item ("D" or "+NAME=VALUE"),
   or NULL at the end. An item of another kind is passed over, as is a last
   piece without its NUL. */
const char *rules_next_item(const char *data, size_t length, size_t *at);

/* True when the data has a "D" item. */
bool rules_deny(const char *data, size_t length);

enum rules_line {
	RULES_NOTHING,  /* empty or a comment */
	RULES_NO_COLON, /* passed over, as tcprules does; worth a warning */
	RULES_RULE,     /* `address` and `data` are filled in */
	RULES_MALFORMED,
};

/* One line of a rules file, without its newline. */
enum rules_line rules_parse_line(const char *line, size_t length,
				 struct str *address, struct str *data);

/* The keys that an address with a range in it ("1.2.3.4-7", "10.2-3.") stands
   for, first to last; `*number` is 0 to begin. False when there are no more. */
struct rules_range {
	const char *address;
	size_t length;
	size_t prefix; /* bytes before the number */
	size_t rest;   /* where the bytes behind the range begin */
	unsigned long next;
	unsigned long last;
	bool single; /* no range: one key, as written */
	bool malformed;
};

void rules_range_start(struct rules_range *, const char *address,
		       size_t length);
bool rules_range_next(struct rules_range *, struct str *key);

#endif
