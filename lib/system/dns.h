/* Questions to the DNS (RFC 1035), by c-ares: many at once, none of them
   waited for unless the caller wants to. Only the DNS is asked, but for
   dns_find_addresses, not /etc/hosts.

   Nothing is read or opened before the first question. The servers are those
   that dns_open was told, or those of /etc/resolv.conf at that time. A server
   that does not answer is asked three times, in all for DNS_SERVER_SECONDS; a
   caller who has a deadline stops waiting by dns_forget.
   SPDX-License-Identifier: ISC */
#ifndef SYSTEM_DNS_H
#define SYSTEM_DNS_H

#include <stdbool.h>
#include <stddef.h>

#include "system/deadline.h"
#include "system/dns_answer.h"
#include "system/net.h"

enum {
	DNS_SERVERS = 16,
	DNS_SERVER_SECONDS = 11, /* 1.5, 3 and 6, and a random part */
};

struct ares_channeldata;
struct dns_question;

struct dns {
	struct ares_channeldata *channel;
	struct ares_channeldata *tcp; /* NULL: nothing has been truncated */
	int epoll;                    /* of their sockets */
	size_t asked;                 /* questions that are not done with */
	size_t waiting;               /* those that somebody waits for */
	deadline tick;                /* when to look at what has timed out */
	bool searches;   /* the search list of resolv.conf is wanted */
	bool keeps_port; /* see dns_keep_port */
	char servers[DNS_SERVERS * (sizeof "[]:65535," + NET_IP_TEXT)];
};

enum dns_result {
	DNS_FOUND,
	DNS_ABSENT, /* there is no such name, or nothing of that type */
	DNS_FAILED, /* nobody knows, now */
};

/* With DNS_FOUND the answer has at least one record; with DNS_ABSENT it has only
   `no_name`. It is gone when the callback returns. The callback may ask and
   forget, but not close. */
typedef void dns_callback(void *context, enum dns_result, struct dns_answer *);

/* `servers` is what DNSCACHEIP holds: addresses, each with ":port" where that
   is not 53 (and in brackets then, if it is of IPv6), with blanks or commas
   between them, or dots as in djb's list. NULL and "": those of resolv.conf.
   -1 with EINVAL when it is another text; resolv.conf's are asked then. */
int dns_open(struct dns *, const char *servers);

/* Before the first question: all of them leave from one port, which is half the
   work for who asks one after the other. For programs that are gone soon: the
   longer a port is used, the more time has who guesses at answers. */
void dns_keep_port(struct dns *);

/* Forgets every question and closes what is open. */
void dns_close(struct dns *);

/* Asks for the name's records. NULL when it cannot be asked, and then there is
   no callback; it comes later otherwise, once, unless the question is
   forgotten. The question is gone with the callback. */
struct dns_question *dns_ask(struct dns *, const char *name, enum dns_type,
			     dns_callback *, void *context);
void dns_forget(struct dns_question *);

/* For a loop: wait until the descriptor (-1 before the first question) is
   readable, or for so many milliseconds, in poll's form; then serve. */
int dns_descriptor(const struct dns *);
int dns_timeout(const struct dns *);
void dns_serve(struct dns *);

/* The same, once there is something to serve, or that time has passed. */
void dns_serve_within(struct dns *, int milliseconds);

/* For those who wait: until every question has been answered, or the deadline.
   False: some have not been. */
bool dns_wait(struct dns *, deadline);

/* The host's name that the address has; the first, if there are several. */
enum dns_result dns_find_host(struct dns *, const struct net_ip *, deadline,
			      char host[DNS_NAME]);

/* The addresses of a name that a user gave, the best first: as /etc/hosts has
   them, or the DNS, with the search list of resolv.conf (or LOCALDOMAIN).
   Their count, 0 to `room`, comes with DNS_FOUND only. */
enum dns_result dns_find_addresses(struct dns *, const char *name, deadline,
				   struct net_ip *list, size_t room,
				   size_t *count);

#endif
