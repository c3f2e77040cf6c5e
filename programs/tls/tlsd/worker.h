/* The process that watches the sessions that may start TLS. It has no key: it
   starts the keeper, which has, and gives it each session whose program asks.
   It reads nothing that comes from the network, waits for nobody, and does the
   same few steps for an event however many sessions there are.
   SPDX-License-Identifier: ISC */
#ifndef TLSD_WORKER_H
#define TLSD_WORKER_H

#include <stdbool.h>

#include "settings.h"
#include "tickets.h"

/* How a worker ends; the loader looks at it. */
enum worker_exit {
	WORKER_UNUSED = 0,  /* nobody holds the other end of the socket */
	WORKER_RETIRED = 1, /* as the loader wanted */
	WORKER_ALONE = 2,   /* the keeper is gone */
};

struct worker_start {
	struct settings *settings; /* the password is wiped */
	struct tickets *tickets;   /* and so are these */
	int socket;                /* hand-overs come here */
	int retire;   /* ends when this worker is to take no more */
	int ready;    /* written to, once, when it can take them */
	bool listens; /* the socket is one to accept from */
};

/* Starts the keeper, and confines itself when that has loaded all files; ends
   with 111 where one cannot, which has been said. Never comes back. */
_Noreturn void worker_run(const struct worker_start *);

#endif
