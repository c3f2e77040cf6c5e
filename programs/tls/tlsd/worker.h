/* The process that holds the keys. It watches the sessions that may start TLS
   and forks one process for each that does. It reads nothing that comes from
   the network, waits for nobody, and does the same few steps for an event
   however many sessions there are.
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
};

struct worker_start {
	const struct settings *settings;
	struct tickets *tickets;
	int socket;   /* hand-overs come here */
	int retire;   /* ends when this worker is to take no more */
	int ready;    /* written to, once, when it can take them */
	bool listens; /* the socket is one to accept from */
};

/* Loads all files and confines itself first; dies where it cannot. Never comes
   back. */
_Noreturn void worker_run(const struct worker_start *);

#endif
