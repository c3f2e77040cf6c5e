/* Access rules in tcprules' format, so that Debian's programs and ours read
   each other's files. A rule's key is the text before the colon; its data is a
   row of items, each ended by a NUL: "D" denies, "+NAME=VALUE" sets a variable;
   allow without variables is no data at all. What older programs cannot know, a
   network like 10.16.0.0/12, has a key that they never ask for.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_RULES_H
#define MAIL_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "system/table.h"

/* NULL for what is not known. The address as net_ip_format writes it; other
   text is looked up byte for byte. */
struct rules_client {
	const char *ip;
	const char *host;
	const char *info;
};

/* The rule that was found; `key` is its address, `data` points into the table.
   Start with `struct rules_match match = {0}`; the next search may take it
   again, and so its memory. When `tried` is set, every key that is looked up is
   appended to it, with a NUL behind. */
struct rules_match {
	struct str key;
	const char *data;
	size_t data_length;
	struct str *tried;
};

/* Only the first of these that has a rule counts: INFO@IP, INFO@=HOST, IP,
   =HOST, the networks that IP is in, smallest first, "=" and the ends of HOST
   that begin with a dot, longest first, "=" when there is a HOST, and the empty
   address. A network is a beginning of IP that ends in a dot (or colon) or, as
   ADDRESS/LENGTH, of one of the lengths that the table says it has: a table
   without such networks costs no search for them.
   TABLE_ABSENT: no rule at all, which allows; `data_length` is 0. */
enum table_answer rules_find(struct table *, const struct rules_client *,
			     struct rules_match *);

/* The key of what says which lengths there are: "4 30 12" and "6 64 48 0",
   longest first, each ended by a NUL, in a file that has such networks of the
   family. No item of it is one of a rule. */
#define RULES_LENGTHS_KEY "/"

/* Walks a rule's data. Give `*at` 0 to begin; the item (a C string: it begins
   with "D", or it is "+NAME=VALUE"), or NULL at the end. An item of another
   kind is passed over, as is a last piece without its NUL. A file that tcprules
   did not make may hold a "+NAME" with no "=" in it. */
const char *rules_next_item(const char *data, size_t length, size_t *at);

/* True when the data has a "D" item. */
bool rules_deny(const char *data, size_t length);

#endif
