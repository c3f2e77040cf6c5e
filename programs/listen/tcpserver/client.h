/* What happens to one client.
   SPDX-License-Identifier: ISC */
#ifndef TCPSERVER_CLIENT_H
#define TCPSERVER_CLIENT_H

#include <sys/socket.h>

#include "server.h"

/* The connection on descriptor 0: refuses it, or starts its program and notes
   the session. The caller closes the descriptor. */
void serve_client(struct server *, const struct sockaddr_storage *remote);

#endif
