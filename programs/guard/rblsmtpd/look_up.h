/* What is asked of each list about the client, and what the answers say, as far
   as they are there.

   It takes a TXT and an A record to be sure that a client is listed, and why,
   but one to see that it is not, as most are. So one is asked for, and the
   other when that is there; or when a moment has passed, since a list that is
   far away is not to cost two journeys.
   SPDX-License-Identifier: ISC */
#ifndef RBLSMTPD_LOOK_UP_H
#define RBLSMTPD_LOOK_UP_H

#include <stdbool.h>

#include "base/str.h"
#include "mail/dns_list.h"
#include "settings.h"
#include "system/dns.h"

enum progress { NOT_ASKED, AWAITED, HAS_RECORDS, HAS_NONE, BROKEN };

struct look_up {
	const struct entry *entry;
	struct dns *dns;
	const struct net_ip *ip;
	enum progress address;          /* A */
	enum progress text;             /* TXT */
	enum dns_list_answer judgement; /* of the addresses */
	struct net_ip judged;           /* the one that it is for */
	char listed_as[DNS_LIST_TEXT + 1];
	bool is_to_be_shown;
	struct str addresses; /* if so, those of the answer */
};

/* Asks for what the list's opinion is by. What cannot be asked for is BROKEN at
   once. The address stays the caller's. */
void look_up_start(struct look_up *, struct dns *, const struct net_ip *);

/* If that has not come: asks for the rest. */
void look_up_hurry(struct look_up *);

/* What has not been answered will not be. */
void look_up_give_up(struct look_up *);

enum opinion {
	AWAITED_OPINION,
	LISTED,
	NOT_LISTED,
	NO_OPINION, /* a temporary failure */
};

/* `text_wanted`: LISTED only when it is known why, too. */
enum opinion look_up_opinion(const struct look_up *, bool text_wanted);

/* Why the client is listed: for the client to see. */
void look_up_reason(const struct look_up *, const char *ip,
		    char text[DNS_LIST_TEXT + 1]);

/* Does it answer as no list should, so that the answer did not count? */
bool look_up_is_strange(const struct look_up *);

#endif
