/* A restart that no client notices: the server execs itself with its sockets
   open, and hands what it knows to its successor in a file in memory.
   SPDX-License-Identifier: ISC */
#ifndef TCPSERVER_RESTART_H
#define TCPSERVER_RESTART_H

#include <stdbool.h>

#include "base/str.h"
#include "server.h"

/* How the successor finds the file; no program gets to see it. */
#define RESTART_VARIABLE "TCPSERVER_RESTART"

/* A program that has started more than us, and wants to do something of its own
   before it becomes us again, with the same arguments. */
#define SUCCESSOR_VARIABLE "TCPSERVER_SUCCESSOR"

/* Execs that program, or what AT_EXECFN names, with the arguments of the start.
   Comes back only when that fails, with a warning and everything as it was. */
void restart(struct server *);

/* What a predecessor has left. */
struct inheritance {
	struct str text;
	char *lines;         /* of it, that are still to be read */
	unsigned long limit; /* of -c */
};

/* Is there a predecessor? */
bool find_inheritance(struct inheritance *);

/* Takes over its listeners, sessions, arrivals and rates. */
void take_inheritance(struct server *, struct inheritance *);

#endif
