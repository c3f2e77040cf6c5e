/* Signals that are read from a descriptor when their turn comes, however busy
   the server is: SIGCHLD ends sessions, SIGUSR1 logs the clients, SIGHUP
   restarts. A handler could find the memory lent to a vfork child.
   SPDX-License-Identifier: ISC */
#ifndef TCPSERVER_SIGNALS_H
#define TCPSERVER_SIGNALS_H

struct server;

/* The pid of a child that was there before us, and without which it makes no
   sense to go on: when it ends, the server does. */
#define PARTNER_VARIABLE "TCPSERVER_PARTNER"

/* Once, before there is a session; also what SIGTERM and SIGPIPE do. */
void catch_signals(struct server *);

/* When the descriptor, server->signals, can be read. */
void serve_signals(struct server *);

/* Ends the sessions whose programs have ended unnoticed, when it is time. */
void search_ended_sessions(struct server *);

/* Milliseconds until then, in poll's form. */
int search_timeout(const struct server *);

#endif
