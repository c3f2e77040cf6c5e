/* The environment of a session's program (tcp-environ(5)).
   SPDX-License-Identifier: ISC */
#ifndef TCPSERVER_ENVIRONMENT_H
#define TCPSERVER_ENVIRONMENT_H

#include <stddef.h>

#include "base/str.h"
#include "client.h"
#include "settings.h"

/* What a program is given: our variables, a rule's, and the inherited ones
   that have none of our names. Made anew for each client in the same memory. */
struct environment {
	const char **inherited;
	size_t inherited_count;
	const char **list;
	size_t count;
	size_t room;
	struct str text; /* of our variables; never moves */
};

/* Keeps what the server itself was given, but for our own names. */
void inherit_environment(struct environment *, const struct settings *);

/* Makes the list for this client and its rule's data, which must live as long
   as the list is used. 0, or -1 when memory has run out. */
int build_environment(struct environment *, const struct settings *,
		      const struct client *, const char *rule, size_t length);

#endif
