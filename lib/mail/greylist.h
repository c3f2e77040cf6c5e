/* What every greylist store agrees on: whom an entry is for, what its times
   mean, and the settings that jgreylist, jgreylist-clean and jgreylist-db share.
   An entry stands for a network, since big senders retry from a neighbouring
   address: IPv4 by /24, IPv6 by /64, or by single addresses. It has two times:
   that of the first contact, which never changes, and that of the last one.
   The stores are mail/greylist_tree.h and mail/greylist_redis.h.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_GREYLIST_H
#define MAIL_GREYLIST_H

#include <stdbool.h>
#include <time.h>

#include "system/net.h"

enum greylist_unit { GREYLIST_BY_NETWORK, GREYLIST_BY_ADDRESS };

struct greylist_settings {
	const char *folder;         /* $JGREYLIST_DIR; NULL: unset or empty */
	enum greylist_unit unit;    /* $JGREYLIST_BY_IP */
	unsigned long hold_seconds; /* $JGREYLIST_HOLDTIME, or 120 */
};

struct greylist_settings greylist_settings_from_environment(void);

/* A number in the environment, read as atoi does: unset or empty is
   `otherwise`, text that is no number 0, too large the largest. */
long greylist_number(const char *name, long otherwise);

/* The value of a variable that has one, or NULL. */
const char *greylist_text(const char *name);

/* What decides: the first of these that has an opinion. All but the last do by
   the environment alone. */
enum greylist_rule {
	GREYLIST_WHITELISTED,     /* $JGREYLIST is set and empty */
	GREYLIST_BLACKLISTED,     /* $JGREYLIST is a text */
	GREYLIST_RELAY_CLIENT,    /* $RELAYCLIENT is set */
	GREYLIST_NO_REVERSE_NAME, /* $JGREYLIST_NOREV, and no $TCPREMOTEHOST */
	GREYLIST_NOT_IN_DOUBT, /* $JGREYLIST_ONLY is doubt, no $JGREYLIST_DOUBT */
	GREYLIST_STORE,
};

enum greylist_rule greylist_rule_from_environment(void);

/* What the log calls the decision: "OK whitelisted". Not for GREYLIST_STORE. */
const char *greylist_rule_text(enum greylist_rule);

/* Whom an entry is for: `bits` of it are 24 or 32 for IPv4, 64 or 128 for IPv6,
   and the address has no bits behind them. */
struct greylist_key {
	struct net_ip network;
	unsigned bits;
};

struct greylist_key greylist_key_of_ip(const struct net_ip *,
				       enum greylist_unit);

/* The same for the text of $TCPREMOTEIP, which may end in a scope (%eth0). 0, or
   -1 when it is no address. */
int greylist_key_of_client(const char *remote_ip, enum greylist_unit,
			   struct greylist_key *);

/* An entry's name in the folder tree: 001/002/003, 001/002/003/004,
   2001/0db800010002 or 2001/0db800010002-0000000000000003. */
enum { GREYLIST_PATH = sizeof "2001/0db800010002-0000000000000003" };

const char *greylist_key_path(const struct greylist_key *,
			      char path[GREYLIST_PATH]);

/* The way back: 0, or -1 for a name that greylist_key_path does not give. */
int greylist_key_of_path(const char *path, struct greylist_key *);

struct greylist_entry {
	time_t first;
	time_t last;
};

/* A last contact that is behind by no more is not noted: a sender with a full
   queue comes many times a minute. */
enum { GREYLIST_LAZY_SECONDS = 60 };

enum greylist_state {
	GREYLIST_FIRST,    /* there was no entry; there is now */
	GREYLIST_TOO_SOON, /* the hold time is not over */
	GREYLIST_KNOWN,
	GREYLIST_FAILED, /* the store did not say; there is a cause */
};

/* Does a store that failed have its clients wait? $JGREYLIST_FAIL is tempfail. */
bool greylist_fails_closed(void);

/* What the log calls it: "GREY too soon", "OK store failed". */
const char *greylist_state_text(enum greylist_state);

/* What is asked of a store. */
struct greylist_contact {
	struct greylist_key key;
	unsigned long hold_seconds;
	time_t now;
};

/* TOO_SOON or KNOWN. A first contact in the future, by another host's clock,
   counts as one of now. */
enum greylist_state greylist_state(time_t first, unsigned long hold_seconds,
				   time_t now);

/* Did the client ever come back when its hold time was over? The entry itself
   says so: whoever lets a client in sees to it that `last` does. */
bool greylist_has_passed(const struct greylist_entry *,
			 unsigned long hold_seconds);

#endif
