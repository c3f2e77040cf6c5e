/* What the parts of tcpserver share: the server, and the client in hand.
   SPDX-License-Identifier: ISC */
#ifndef TCPSERVER_SERVER_H
#define TCPSERVER_SERVER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/str.h"
#include "environment.h"
#include "mail/rules.h"
#include "settings.h"
#include "system/net.h"
#include "system/table.h"

enum { SHOWN_BYTES = 100 }; /* of a host's name in the log */

struct server {
	const struct settings *settings;
	int listener;
	struct net_ip local_ip;
	unsigned local_port;
	bool local_ip_varies; /* it listens on all addresses */
	bool clear_ip_options;
	bool out_of_something; /* so there is to be a pause */
	bool failing;          /* since the last client; reported */
	char local_host_shown[SHOWN_BYTES + sizeof "..."];
	const char *path;         /* a rule's PATH is for the program */
	struct str reading_rules; /* "read FILE" */
	sigset_t signals_outside; /* as programs get it, and ppoll */
	pid_t *sessions;
	size_t session_count;
	struct table rules;
	struct rules_match match;
	struct environment environment;
	struct str log;
};

#endif
