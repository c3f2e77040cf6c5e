/* Who is refused although the rules would let him in: MAXLOAD, MAXCONNIP,
   MAXCONNC, MAXRATEIP and MAXRATEC, from the environment or from the client's
   rule, and the text that he is told (DIEMSG, DIEMSG_MAXLOAD, …). The surprise:
   nothing here talks to a client; a judgement costs some table look-ups and no
   system call but a clock that needs none.
   SPDX-License-Identifier: ISC */
#ifndef TCPSERVER_LIMITS_H
#define TCPSERVER_LIMITS_H

#include <stdbool.h>
#include <stddef.h>

#include "settings.h"
#include "system/net.h"
#include "system/tally.h"

enum limit {
	LIMIT_LOAD,
	LIMIT_ADDRESS,
	LIMIT_NETWORK,
	LIMIT_ADDRESS_RATE,
	LIMIT_NETWORK_RATE,
	LIMIT_KINDS
};

/* What counts for one client. The last text is for all the reasons that have
   none of their own. */
struct limit_values {
	bool is_set[LIMIT_KINDS];
	unsigned long number[LIMIT_KINDS];
	const char *text[LIMIT_KINDS + 1];
};

struct limits {
	const struct settings *settings;
	struct limit_values defaults;
	struct tally addresses;
	struct tally networks;
	long long now;      /* milliseconds; of the last look at the clock */
	unsigned long load; /* in hundredths, */
	bool load_is_known; /* if it was ever asked for, */
	long long load_read_at;
	bool complained_of[LIMIT_KINDS];
};

/* `name` and `number` are the log's, " MAXCONNIP:2" behind the deny line; a
   NULL name: no limit refuses. To be sent with CR LF behind it: `text`, unless
   it is NULL; a rule's texts live as long as the rule. */
struct refusal {
	const char *name;
	unsigned long number;
	const char *text;
};

/* Once, before any client, in an environment that stays where it is. A wrong
   LIMIT_PREFIX_… ends the program with 100, no memory for as many sessions as
   the settings allow with 111. */
void limits_prepare(struct limits *, const struct settings *);

/* `rule` is the data of the client's rule. A client that a rule denied gets
   no name but MAXLOAD's, and DIEMSG for its text. A client that is let in
   counts for the rates. He must not count as a session himself: an arrival
   that had been announced ends first, and begins again as a session. */
struct refusal limits_judge(struct limits *, const struct net_ip *,
			    const char *rule, size_t rule_length, bool denied);

/* Each session, and each client who is waited for, by the address that he is
   judged by. */
void limits_session_begins(struct limits *, const struct net_ip *);
void limits_session_ends(struct limits *, const struct net_ip *);

/* For a restart: the rates only. Both leave the file's offset behind their own
   piece of it. 0, or -1 with errno; what was loaded before that stays. */
int limits_save(struct limits *, int fd);
int limits_load(struct limits *, int fd);

#endif
