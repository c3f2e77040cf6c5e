/* The lines of a rules file, as tcprules takes them: which keys and which data
   (mail/rules.h) they stand for. A surprise: a line may be a good rule that no
   client can ever match, since its key is text that nobody looks up; that is
   worth a remark, never an error.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_RULES_LINE_H
#define MAIL_RULES_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "system/net.h"

enum rules_line {
	RULES_NOTHING,   /* empty or a comment */
	RULES_NO_COLON,  /* passed over, as tcprules does; worth a warning */
	RULES_RULE,      /* the rule is filled in */
	RULES_MALFORMED, /* `mistake` says why */
};

/* Start with `struct rules_rule rule = {0}`; the next line may reuse it. */
struct rules_rule {
	const char *address; /* within the line, or `key` */
	size_t address_length;
	struct str data;
	const char *mistake; /* a static text */
	const char *remark;  /* the same: "is never looked up: …", or NULL */

	/* Of a network whose key is ADDRESS/LENGTH; else NET_NONE. */
	enum net_family family;
	unsigned prefix_length;

	/* A range: the bytes before its first number, where those behind it
	   begin, the number of the next key and of the last. */
	size_t front;
	size_t rest;
	unsigned next;
	unsigned last;

	struct str key;
	struct str instruction; /* what `data` has been made of */
};

/* One line of a rules file, without its newline; it may hold any bytes. */
enum rules_line rules_parse_line(const char *line, size_t length,
				 struct rules_rule *);

/* The keys that the rule stands for, first to last: one, or as many as an
   address like "1.2.3.4-7" or "10.2-3." has numbers (none for "5-2"; numbers
   above 255 do not count). False when there are no more. The line that the rule
   came from must still be there; the key is good until the next call. */
bool rules_next_key(struct rules_rule *, const char **key, size_t *length);

/* The prefix lengths of the networks of a file. Start with {0}. */
struct rules_lengths {
	bool has[2][129]; /* IPv4, IPv6 */
};

void rules_note_length(struct rules_lengths *, const struct rules_rule *);

/* The data for the record RULES_LENGTHS_KEY, which the file must have if this
   is true; and must not if it is false. */
bool rules_list_lengths(const struct rules_lengths *, struct str *data);

#endif
