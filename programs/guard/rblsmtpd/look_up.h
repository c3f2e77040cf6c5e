/* What is asked of each list about the client, all at once, and what the
   answers say, as far as they are there.
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
	enum progress address;          /* A */
	enum progress text;             /* TXT */
	enum dns_list_answer judgement; /* of the addresses */
	struct net_ip judged;           /* the one that it is for */
	char listed_as[DNS_LIST_TEXT + 1];
	bool is_to_be_shown;
	struct str addresses; /* if so, those of the answer */
};

/* Asks what has to be known of the list's opinion. What cannot be asked is
   BROKEN at once. */
void look_up_start(struct look_up *, struct dns *, const struct net_ip *);

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
