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

/* NULL for what is not known. An IPv4 address in its dotted form, an IPv6
   address as RFC 5952 writes it: the match is by text. */
struct rules_client {
	const char *ip;
	const char *host;
	const char *info;
};

/* The rule that was found; `key` is its address as written, `data` points into
   the table. Start with `struct rules_match match = {0}`; the next search may
   take it again, and so its memory. */
struct rules_match {
	struct str key;
	const char *data;
	size_t data_length;
};

/* Only the first of these that has a rule counts: INFO@IP, INFO@=HOST, IP,
   =HOST, the beginnings of IP that end in a dot (or colon), longest first, "="
   and the ends of HOST that begin with a dot, longest first, "=" when there is
   a HOST, and the empty address.
   TABLE_ABSENT: no rule at all, which allows; `data_length` is 0. */
enum table_answer rules_find(struct table *, const struct rules_client *,
			     struct rules_match *);

/* Walks a rule's data. Give `*at` 0 to begin; the item (a C string: it begins
   with "D", or it is "+NAME=VALUE"), or NULL at the end. An item of another
   kind is passed over, as is a last piece without its NUL. A file that tcprules
   did not make may hold a "+NAME" with no "=" in it. */
const char *rules_next_item(const char *data, size_t length, size_t *at);

/* True when the data has a "D" item. */
bool rules_deny(const char *data, size_t length);

enum rules_line {
	RULES_NOTHING,   /* empty or a comment */
	RULES_NO_COLON,  /* passed over, as tcprules does; worth a warning */
	RULES_RULE,      /* the rule is filled in */
	RULES_MALFORMED, /* `mistake` says why */
};

/* Start with `struct rules_rule rule = {0}`; the next line may reuse it. */
struct rules_rule {
	const char *address; /* within the line */
	size_t address_length;
	struct str data;
	const char *mistake; /* a static text */
	size_t prefix;       /* the bytes before the number of a range */
	size_t rest;         /* where the bytes behind a range begin */
	unsigned next;       /* the number of the next key */
	unsigned last;
	struct str key; /* of a range */
};

/* One line of a rules file, without its newline; it may hold any bytes. */
enum rules_line rules_parse_line(const char *line, size_t length,
				 struct rules_rule *);

/* The keys that the rule stands for, first to last: one, or as many as an
   address like "1.2.3.4-7" or "10.2-3." has numbers (none for "5-2"; numbers
   above 255 do not count). False when there are no more. The line that the rule
   came from must still be there; the key is good until the next call. */
bool rules_next_key(struct rules_rule *, const char **key, size_t *length);

#endif
