/* The sessions that run, by the pid of their program. To begin and to end one
   takes the same time whether there are ten or ten thousand of them.
   SPDX-License-Identifier: ISC */
#ifndef TCPSERVER_SESSIONS_H
#define TCPSERVER_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "system/deadline.h"
#include "system/net.h"

struct session {
	pid_t pid;
	struct net_ip ip; /* the client's */
	unsigned port;
	size_t listener; /* which of the server's it came to */
	deadline came;
};

/* Start with `struct sessions s = {0}`. */
struct sessions {
	struct session *slots; /* a pid of 0 is a free one */
	size_t room;           /* a power of two, at least twice the count */
	size_t count;
};

/* Memory for one more. 0, or -1 when it has run out. */
int sessions_make_room(struct sessions *);

/* There must be room for it. */
void sessions_begin(struct sessions *, const struct session *);

/* False when that pid is no session. */
bool sessions_end(struct sessions *, pid_t, struct session *ended);

/* One after the other, in no order. Give `*at` 0 to begin; NULL at the end. */
const struct session *sessions_next(const struct sessions *, size_t *at);

#endif
