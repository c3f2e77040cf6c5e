/* Telling whoever started the server that it listens.
   SPDX-License-Identifier: ISC */
#ifndef TCPSERVER_READINESS_H
#define TCPSERVER_READINESS_H

#include "listener.h"
#include "settings.h"

/* At the start, before anything is opened: ends the program when there is no
   descriptor for -f. */
void check_readiness(const struct settings *);

/* -1: each port on a line of standard output; -f: a newline on that descriptor,
   which is then closed; NOTIFY_SOCKET (sd_notify(3)): READY=1. */
void tell_readiness(const struct listeners *, const struct settings *);

/* The same for NOTIFY_SOCKET around a restart. */
void tell_reloading(const struct settings *);
void tell_reloaded(const struct settings *);

#endif
