/* The clients who have to be waited for before their program can run. They
   hold a descriptor and a place of -c, but no process; one epoll descriptor
   stands for all of them in the server's ppoll.
   SPDX-License-Identifier: ISC */
#ifndef TCPSERVER_ARRIVALS_H
#define TCPSERVER_ARRIVALS_H

#include <stdbool.h>
#include <stddef.h>

#include "client.h"

/* Those who wait at one step, the next one to be late first. */
struct queue {
	struct client *first;
	struct client *last;
};

struct arrivals {
	int epoll;
	size_t count;
	size_t room; /* for so many there are descriptors */
	bool full;   /* it has been said that there are no more */
	struct queue at[STEPS];
};

/* Once. 0, or -1 with errno. */
int prepare_arrivals(struct arrivals *);

/* When the listeners are known: how many clients can wait at a time. */
void limit_arrivals(struct server *);

/* Makes an arrival of a client that waits; its descriptor may be closed then.
   -1 with errno when that cannot be. */
int await_client(struct server *, const struct client *);

/* For a restart: one whose descriptor is its own already, with the deadline it
   had. 0, or -1. */
int resume_arrival(struct server *, const struct client *);

/* Milliseconds until the first is late, in poll's form. */
int arrivals_timeout(const struct server *);

/* Serves those for whom something has come; those who are late. */
void serve_arrivals(struct server *);
void expire_arrivals(struct server *);

/* Serves one, who may be gone then. */
void serve_arrival(struct server *, struct client *);

#endif
