/* Sockets that somebody else has opened: a super-server, which then need not
   give this program the right to do so, or may start it with the first client.
   SPDX-License-Identifier: ISC */
#ifndef TCPSERVER_GIVEN_SOCKETS_H
#define TCPSERVER_GIVEN_SOCKETS_H

#include <stdbool.h>

#include "listener.h"
#include "settings.h"

/* Those of LISTEN_FDS (sd_listen_fds(3)) when LISTEN_PID means this process,
   or else descriptor 0 for the host "-". False when there are none; a
   descriptor that is no listening TCP socket ends the program. */
bool take_given_sockets(struct listeners *, const struct settings *);

#endif
