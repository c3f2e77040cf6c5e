/* The lines of the log, in the words of ucspi-tcp for the programs that read
   them. They collect until write_log sends them in one write; without -v it
   drops them.
   SPDX-License-Identifier: ISC */
#ifndef TCPSERVER_LOG_H
#define TCPSERVER_LOG_H

#include <sys/types.h>

#include "server.h"

/* Once, at the start: afterwards no line needs memory. */
void prepare_log(struct server *);

void log_status(struct server *, size_t sessions);

/* The client in hand counts as a session here. */
void log_arrival(struct server *, const struct client *, pid_t);

/* "ok" or "deny", and what refused it. */
void log_verdict(struct server *, const struct client *, const char *verdict,
		 pid_t, const struct refusal *);

/* The status is wait's own number: 256 times the exit code, or the signal. */
void log_end(struct server *, pid_t, int status);

/* At once, a line for each session and each arrival, unless there is -q. */
void log_table(struct server *);

void write_log(struct server *);

/* "warning: dropping connection, unable to DOING: cause" for errno. */
void warn_dropping(const struct server *, const char *doing);

#endif
