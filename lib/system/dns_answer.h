/* What stands in a DNS message (RFC 1035 section 4): the records of the answer
   section that have the type asked for. Who owns them is not looked at: they
   are mostly behind aliases (CNAME), and whoever could put a foreign record
   there might as well have put it under the name asked for.
   SPDX-License-Identifier: ISC */
#ifndef SYSTEM_DNS_ANSWER_H
#define SYSTEM_DNS_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "system/net.h"

/* A name as text and a NUL: 255 bytes as it is sent. */
enum { DNS_NAME = 254 };

enum dns_type {
	DNS_A = 1,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
};

struct dns_answer {
	const unsigned char *message;
	size_t length;
	enum dns_type type;
	size_t at;        /* the next record */
	unsigned records; /* from there on, of any type */
	bool no_name;     /* there is none: nothing of any type */
};

struct dns_record {
	const unsigned char *data; /* within the message */
	size_t length;
};

/* The message stays the caller's. The number of records that
   dns_answer_next will give, or -1 with EPROTO when the message is broken. */
int dns_answer_open(struct dns_answer *, const void *message, size_t length,
		    enum dns_type);

/* False: no more. */
bool dns_answer_next(struct dns_answer *, struct dns_record *);

/* The host's name that a PTR record is, in lower case and without the last
   dot. False when it is none: a name holds any bytes, but a host's has only
   letters, digits, '-' and '_' between its dots, and does not end in a number
   as an address does. */
bool dns_record_host(const struct dns_answer *, const struct dns_record *,
		     char host[DNS_NAME]);

/* The name that an MX record has, in lower case and without the last dot; empty
   for the root, which is no host (RFC 7505). False when it is none, or holds
   what is no printable byte or a dot within a label. */
bool dns_record_exchanger(const struct dns_answer *, const struct dns_record *,
			  char host[DNS_NAME]);

/* The address that an A or AAAA record is. False when it is none. */
bool dns_record_ip(const struct dns_answer *, const struct dns_record *,
		   struct net_ip *);

/* Adds what a TXT record says to the text: its strings, with nothing between
   them. They are any bytes, NUL too. False when they do not end where the
   record does, or there is none (RFC 1035 section 3.3.14); nothing is added
   then. */
bool dns_record_text(const struct dns_answer *, const struct dns_record *,
		     struct str *text);

/* The name whose PTR records name the host that has the address. The address
   must be one. Returns `name`. */
const char *dns_reverse_name(const struct net_ip *, char name[DNS_NAME]);

#endif
