/* The macros of SPF (RFC 7208 section 7): in the names that a record has looked
   up, and in the text that explains a failure. Who wrote the record chooses what
   is asked of our name servers and what our client reads: nothing here can grow
   over the caller's room, however often a macro stands there.

   Known: the letter says what is put in, and a capital one that all but
   A-Za-z0-9-._~ in it is written as %XX.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_SPF_MACRO_H
#define MAIL_SPF_MACRO_H

#include <stdbool.h>
#include <stddef.h>

#include "system/dns_answer.h"
#include "system/net.h"

/* Any bytes of a record. */
struct spf_text {
	const char *at;
	size_t length;
};

/* Which letters there are besides s l o d i p v h. */
enum spf_letters {
	SPF_IN_NAMES,
	SPF_IN_MODIFIERS,    /* c r t; of no effect */
	SPF_IN_EXPLANATIONS, /* those, and blanks */
	SPF_IN_LOCAL_TEXTS,  /* those, and xr xs xe, which are ours */
};

struct spf_values {
	struct net_ip ip;          /* i c v */
	const char *sender;        /* s */
	const char *local_part;    /* l */
	const char *sender_domain; /* o */
	const char *domain;        /* d */
	const char *helo;          /* h */
	const char *receiver;      /* r */
	const char *host;          /* p: the validated name, NULL: "unknown" */
	const char *subject;       /* xs: what decided */
	const char *reason;        /* xe */
};

/* Only bytes from 0x21 to 0x7e, and blanks in explanations, and every % the
   start of a macro. */
bool spf_macro_is_string(struct spf_text, enum spf_letters);

/* A domain-spec (section 7.1): that, and a macro or a top label at its end. */
bool spf_macro_is_domain(struct spf_text);

/* Does a text that is one of these have one of the letters? */
bool spf_macro_uses(struct spf_text, const char *letters);

/* A domain-spec's name: without the last dot, and without its first labels if it
   is longer than a name can be. False when nobody can have such a name: a label
   is empty, over 63 bytes, or holds what is no printable ASCII. */
bool spf_macro_name(struct spf_text, const struct spf_values *,
		    char name[DNS_NAME]);

/* A text, cut where `size` ends, and a NUL; what is not printable ASCII has
   become '?'. */
void spf_macro_explain(struct spf_text, const struct spf_values *, char *room,
		       size_t size);

#endif
