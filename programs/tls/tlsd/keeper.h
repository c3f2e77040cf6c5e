/* The process that holds the keys. It reads them, and then does one thing: for
   each session that it is given it forks the session's process. It has hardly a
   descriptor, since a fork copies them all, and hears nobody but the worker.
   SPDX-License-Identifier: ISC */
#ifndef TLSD_KEEPER_H
#define TLSD_KEEPER_H

#include "settings.h"
#include "tickets.h"

/* Loads all files and confines itself, dies where it cannot; sends one byte on
   the socket, and takes sessions from it (HANDOVER_IMMEDIATE: the program is to
   be told) until it ends. Never comes back. */
_Noreturn void keeper_run(const struct settings *, struct tickets *,
			  int socket);

#endif
