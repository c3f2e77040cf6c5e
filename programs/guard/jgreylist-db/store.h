/* The greylist that the environment names, whichever kind it is.
   SPDX-License-Identifier: ISC */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>

#include "mail/greylist.h"
#include "mail/greylist_redis.h"

struct store {
	struct greylist_settings greylist;
	const char *folder; /* of the tree, if need be the usual one */
	bool is_redis;
	struct greylist_redis redis;
};

struct store store_from_environment(void);

typedef void store_visit(void *context, const struct greylist_key *,
			 const struct greylist_entry *);

/* Each of these says on the log what went wrong, and gives -1 then. */

/* Each entry, in no order. It goes on with what it can. */
int store_list(struct store *, store_visit *, void *context);

/* 1: there is such an entry, 0: there is none. */
int store_find(struct store *, const struct greylist_key *,
	       struct greylist_entry *);

int store_set(struct store *, const struct greylist_key *,
	      const struct greylist_entry *);

/* 1: it is gone, 0: there was none. */
int store_forget(struct store *, const struct greylist_key *);

#endif
