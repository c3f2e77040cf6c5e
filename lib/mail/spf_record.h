/* SPF records (RFC 7208 sections 4.5, 4.6, 5, 6 and 12) as text and as terms.
   A record is read as a whole before anything of it counts: a mistake anywhere
   makes all of it one. It is never kept as a list: who evaluates it reads one
   term after the other, once more.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_SPF_RECORD_H
#define MAIL_SPF_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "mail/spf_macro.h"
#include "system/net.h"

enum {
	SPF_RECORD = 16384,      /* bytes; DNS could bring 64 K */
	SPF_RECORD_TERMS = 2048, /* there is no sense in more */
};

enum spf_word {
	SPF_ALL,
	SPF_INCLUDE,
	SPF_A,
	SPF_MX,
	SPF_PTR,
	SPF_IP4,
	SPF_IP6,
	SPF_EXISTS,
	/* modifiers */
	SPF_REDIRECT,
	SPF_EXP,
	SPF_OTHER_MODIFIER,
};

struct spf_term {
	enum spf_word word;
	char qualifier;         /* + - ~ ? */
	struct spf_text text;   /* as it stands there */
	struct spf_text target; /* domain-spec, or without length */
	struct net_ip network;  /* of ip4, ip6; in a network, all else is 0 */
	unsigned prefix_4, prefix_6;
};

enum spf_reading {
	SPF_TERM,
	SPF_END,
	SPF_MISTAKE, /* text has what it is */
	SPF_UNKNOWN, /* a mechanism that nobody knows */
};

/* Is it one, with any terms? They begin behind "v=spf1". */
bool spf_record_begins(struct spf_text record, struct spf_text *terms);

/* The next term, which is taken off the text. */
enum spf_reading spf_record_next(struct spf_text *terms, struct spf_term *);

struct spf_record {
	struct spf_text terms;
	bool has_all;
	struct spf_text redirect; /* domain-spec, or without length */
	struct spf_text exp;
	/* Where local rules are heard: before the term that begins here, the
	   first of those, all with the same of - ~ ?, that end with "all".
	   NULL: nowhere, or that would be before all other terms. */
	const char *local_at;
};

/* Reads all terms. SPF_END: it is good; else `wrong` is the term that is not,
   or without length when there are too many bytes or terms. */
enum spf_reading spf_record_read(struct spf_record *, struct spf_text terms,
				 struct spf_text *wrong);

/* Has the address those first bits? */
bool spf_record_network_has(const struct net_ip *network, unsigned prefix,
			    const struct net_ip *);

#endif
