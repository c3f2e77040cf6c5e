/* The sockets that clients come to. None of them ever blocks.
   SPDX-License-Identifier: ISC */
#ifndef TCPSERVER_LISTENER_H
#define TCPSERVER_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

#include "settings.h"
#include "system/net.h"

struct listener {
	int fd;
	struct net_ip ip;
	unsigned port;
	bool ip_varies; /* it listens on all addresses */
};

/* Start with `struct listeners l = {0}`. */
struct listeners {
	struct listener *list;
	size_t count;
	size_t turn; /* whose client is accepted first */
};

/* Listens on every host and port of the settings, or takes the sockets that it
   was given in their place; or ends the program. */
void start_listening(struct listeners *, const struct settings *);

/* Adds a socket that listens already. 0, or -1 with errno when it does not. */
int add_listener(struct listeners *, int fd);

#endif
