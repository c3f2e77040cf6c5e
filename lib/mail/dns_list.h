/* A DNS list of clients (RFC 5782): which name to ask for an address, and what
   the answer means. A list is written, in options and files, as

	zone[#name][=filter][*weight][:message]

   with postscreen's filters, "127.0.[0..255].[2;4..7]", and rblsmtpd's messages,
   where %IP% is the client's address. A surprise: part of a zone may be a key
   that its user has to keep secret. So it is `name` that is shown, never `zone`,
   and what the list itself says about a client is not passed on either.

   Answers are hostile: resolvers that a list does not serve, and lists that
   have been given up, answer every question, and would have everybody listed.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_DNS_LIST_H
#define MAIL_DNS_LIST_H

#include <stdbool.h>

#include "system/dns_answer.h"
#include "system/net.h"

enum {
	/* With the 64 bytes of an IPv6 address before it, it is a name. */
	DNS_LIST_ZONE = DNS_NAME - 64,
	DNS_LIST_NAME = DNS_LIST_ZONE,
	DNS_LIST_TEXT = 200, /* of a text's bytes, so many are ever shown */
	DNS_LIST_WEIGHT = 1000000,
};

enum dns_list_kind {
	DNS_LIST_REFUSES, /* a positive weight speaks against the client */
	DNS_LIST_ALLOWS,  /* a positive weight speaks for it */
};

struct dns_list {
	enum dns_list_kind kind;
	char zone[DNS_LIST_ZONE]; /* not to be shown */
	char name[DNS_LIST_NAME];
	bool has_secret; /* in its zone; and so its TXT is not to be used */
	bool has_filter;
	unsigned char filter[4][32]; /* a bit for each value of each byte */
	bool has_weight;
	int weight; /* what a match adds: below 0, it speaks for the client */
	const char *message; /* NULL: none */
};

/* NULL, or what is wrong with it: a text that shows none of it. The message is
   the end of `text`, which has to stay. */
const char *dns_list_parse(struct dns_list *, const char *text,
			   enum dns_list_kind);

/* Does it say good of those whom it has? */
bool dns_list_speaks_for(const struct dns_list *);

/* As rblsmtpd has always asked: is there a TXT record? All other lists are
   asked for A records, and mean what these say. */
bool dns_list_is_by_text(const struct dns_list *);

/* The name to ask: the address backwards, by bytes or by nibbles, before the
   zone. The address must be one. Not to be shown. Returns `name`. */
const char *dns_list_question(const struct dns_list *, const struct net_ip *,
			      char name[DNS_NAME]);

/* Beginning with what weighs least. */
enum dns_list_answer {
	DNS_LIST_NONE,     /* the filter has no such address */
	DNS_LIST_FOREIGN,  /* no list would say so: 127.0.0.0/8 is for that */
	DNS_LIST_NO_SERVE, /* not for this resolver, or not for this question */
	DNS_LIST_COUNTS,
};

enum dns_list_answer dns_list_judge(const struct dns_list *,
				    const struct net_ip *);

/* The same for all addresses of an answer: what weighs most, and in `*which`
   the first address that says so. */
enum dns_list_answer dns_list_judge_all(const struct dns_list *,
					struct dns_answer *,
					struct net_ip *which);

/* The texts of all TXT records, joined; bytes that are not printable are '?'.
   False when a record is broken. */
bool dns_list_text(struct dns_answer *, char text[DNS_LIST_TEXT + 1]);

/* A message with the client's address in it, made printable as well. */
void dns_list_fill_in(const char *message, const char *ip,
		      char text[DNS_LIST_TEXT + 1]);

#endif
