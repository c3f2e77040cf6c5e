/* What the parts of tcpserver share.
   Descriptors 0 and 1 are free while it waits: the next connection comes out as
   0. Whatever stays open longer than one client must be 3 or above.
   SPDX-License-Identifier: ISC */
#ifndef TCPSERVER_SERVER_H
#define TCPSERVER_SERVER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "arrivals.h"
#include "base/str.h"
#include "environment.h"
#include "limits.h"
#include "listener.h"
#include "look_up.h"
#include "mail/rules.h"
#include "sessions.h"
#include "settings.h"
#include "system/table.h"

enum { SHOWN_BYTES = 100 }; /* of a host's name in the log */

struct server {
	const struct settings *settings;
	char **arguments; /* as main got them */
	struct listeners listeners;
	struct sessions sessions;
	struct arrivals arrivals;
	struct look_ups look_ups;
	struct limits limits;
	bool clear_ip_options;
	bool out_of_something; /* so there is to be a pause */
	bool failing;          /* since the last client; reported */
	char local_host_shown[SHOWN_BYTES + sizeof "..."];
	const char *path;         /* a rule's PATH is for the program */
	struct str reading_rules; /* "read FILE" */
	sigset_t program_signals; /* blocked, as programs get it */
	int signals;              /* a descriptor for the server's own */
	bool ends_unseen;         /* sessions may have ended */
	deadline next_search;     /* for them; DEADLINE_NEVER: at once */
	pid_t partner;            /* without whom there is no service, or 0 */
	struct table rules;
	struct rules_match match;
	struct environment environment;
	struct str log;
};

/* The places of -c that are taken. */
static inline size_t clients_present(const struct server *server)
{
	return server->sessions.count + server->arrivals.count;
}

#endif
