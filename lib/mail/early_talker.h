/* A client has to wait for the greeting (RFC 5321 section 3.1); this tells
   whether it does. The connection is looked at, and never read: what an early
   client has sent is still there for the next program.

   A wait can be one of its own, or a part of another: poll the descriptor for
   early_talker_events with whatever else there is to wait for, and give what
   poll found to early_talker_look.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_EARLY_TALKER_H
#define MAIL_EARLY_TALKER_H

#include <stdbool.h>

#include "system/deadline.h"

enum { EARLY_TALKER_MOST_SECONDS = 3600 };

/* What an early talker is told, behind "554 " and a refusal's other codes. */
#define EARLY_TALKER_TEXT "SMTP protocol violation"

struct early_talker {
	unsigned long seconds; /* to wait */
	bool drop;             /* is talking meanwhile an offence? */
};

/* $GREETDELAY, at most EARLY_TALKER_MOST_SECONDS, and $DROP_PRE_GREET; lenient,
   as every number in the environment. */
struct early_talker early_talker_from_environment(void);

/* Neither is for the next program. */
void early_talker_clear_environment(void);

/* When options had their say: who drops waits a second at least. Nothing is
   left for a client that is spared: $RELAYCLIENT is set, or $RBLSMTPD is set
   and empty, as rules exempt their clients from lists. */
void early_talker_settle(struct early_talker *);

enum early_talker_sign {
	EARLY_TALKER_WAITS,
	EARLY_TALKER_SPOKE,  /* only when `drop`; else words wake nobody */
	EARLY_TALKER_CLOSED, /* its sending side at least */
};

/* For poll: what is a sign. */
short early_talker_events(const struct early_talker *);

/* What poll found on that descriptor, a socket or a pipe. */
enum early_talker_sign early_talker_look(int fd, short found);

/* Waits for a sign, up to `seconds` from now. */
enum early_talker_sign early_talker_wait(const struct early_talker *, int fd);

/* "NAME[PID]: before greeting: [IP] client sent data", or "disconnected". */
void early_talker_log(const char *name, enum early_talker_sign);

/* Says 554 to a client that spoke, and sees to it that the reply gets there;
   for a few seconds, whatever the client does. To be followed by exit. */
void early_talker_refuse(int in, int out);

#endif
