/* The names of a client's two ends: TCPLOCALHOST, TCPREMOTEHOST and
   TCPREMOTEINFO, where the command line asks for them. All of them are asked
   for at once, and a client waits for all of them together no longer than -t
   says; what is not known by then stays unknown.
   SPDX-License-Identifier: ISC */
#ifndef TCPSERVER_LOOK_UP_H
#define TCPSERVER_LOOK_UP_H

#include <stdbool.h>
#include <stddef.h>

#include "system/dns.h"

struct client;
struct server;

enum { LOCAL_NAMES = 8 };

/* The server's own addresses are the same for many clients. */
struct local_name {
	char ip[NET_IP_TEXT];
	char host[DNS_NAME]; /* "" for none */
	deadline until;
};

struct look_ups {
	struct dns dns;
	bool dns_is_watched; /* by the arrivals' epoll */
	struct local_name local[LOCAL_NAMES];
	size_t next_local; /* the oldest */
};

/* Reads DNSCACHEIP; asks nothing yet. */
void prepare_look_ups(struct server *);

/* Are the names known, or given up, as they are then in the client? False: it
   has to wait for them. Only an arrival is asked for; call it again for each
   event on its descriptors. */
bool look_up_names(struct server *, struct client *);

/* The client goes: nobody wants to know any more. */
void forget_names(struct client *);

#endif
