/* The listening socket.
   SPDX-License-Identifier: ISC */
#ifndef TCPSERVER_LISTENER_H
#define TCPSERVER_LISTENER_H

#include "settings.h"
#include "system/net.h"

/* Listens on the host and port of the settings, or ends the program. Gives the
   descriptor, which never blocks, and the address and port it got. */
int start_listening(const struct settings *, struct net_ip *, unsigned *port);

#endif
