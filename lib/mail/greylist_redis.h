/* The greylist in Redis (7.0 or newer, or Valkey), shared by several MX hosts.
   An entry is a string key, PREFIX4:192.0.2 or PREFIX6:20010db800010002, whose
   value is the time of the first contact. There is no value for the last
   contact: when Redis is to forget the entry says it, since that is two days
   after the first contact of a client that never came back when its hold time
   was over, and 36 days after the last contact of one that did.

   Nobody waits longer for Redis than one deadline, which is for finding its
   address, connecting and every answer together. A store that is away is no
   reason to stop mail: each failure comes with its cause, one line of printable
   text that never has the password in it, and the caller goes on.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_GREYLIST_REDIS_H
#define MAIL_GREYLIST_REDIS_H

#include <stdbool.h>

#include "mail/greylist.h"
#include "system/redis.h"

struct greylist_redis {
	/* $JGREYLIST_REDIS, $JGREYLIST_REDIS_DB (0), $JGREYLIST_REDIS_TIMEOUT
	   (1 s; 1 to 60), $JGREYLIST_REDIS_PASSWORD_FILE (none). */
	struct redis_link link;
	const char *prefix; /* $JGREYLIST_REDIS_PREFIX, or "jgreylist:" */

	/* How many keys the last greylist_redis_list left out because they
	   begin like entries and are none. */
	unsigned long skipped;
};

/* False: $JGREYLIST_REDIS is unset or empty, so there is no such store. Opens
   nothing; the address is looked at by the first call that needs it. */
bool greylist_redis_from_environment(struct greylist_redis *);

/* The client is here: decides and notes the contact. Hangs up. `*cause` is the
   reason of GREYLIST_FAILED; with another state it is NULL, or why the last
   contact could not be noted. The last contact is only written when it would
   move by more than a minute, or to show that the client has passed. */
enum greylist_state greylist_redis_contact(struct greylist_redis *,
					   const struct greylist_contact *,
					   const char **cause);

/* The calls below are for the operator's tools. They have a deadline each, and
   keep the connection for the next one. */

/* What greylist_redis_contact would say; writes nothing. The entry's times are
   in `*entry` unless the answer is FIRST or FAILED. */
enum greylist_state greylist_redis_look(struct greylist_redis *,
					const struct greylist_contact *,
					struct greylist_entry *entry,
					const char **cause);

/* Makes the contact's entry, or changes its times; whether it has passed by its
   hold time decides how long it stays, counted from its last contact. One whose
   time is over stays for a second. 0, or -1 with the cause. */
int greylist_redis_set(struct greylist_redis *, const struct greylist_contact *,
		       const struct greylist_entry *, const char **cause);

/* 1 forgotten, 0 there was no such entry, -1 with the cause. */
int greylist_redis_forget(struct greylist_redis *, const struct greylist_key *,
			  const char **cause);

typedef void greylist_redis_visit(void *context, const struct greylist_key *,
				  const struct greylist_entry *);

/* Each entry, in no order, while mail flows: what comes or goes meanwhile may
   be there or not, and Redis may give an entry twice when its table grows. The
   memory needed does not grow with the number of entries. `visit` may not use
   the store. 0, or -1 with the cause, when there may be more of them. */
int greylist_redis_list(struct greylist_redis *, time_t now,
			greylist_redis_visit *visit, void *context,
			const char **cause);

/* Hangs up and frees; the settings stay, and the next call connects anew. */
void greylist_redis_close(struct greylist_redis *);

#endif
