/* The process that was started. It keeps its rights, so that it can read the
   key again, and hears signals only: a worker and its keeper do the rest.
   SPDX-License-Identifier: ISC */
#ifndef TLSD_LOADER_H
#define TLSD_LOADER_H

#include "settings.h"

/* Ends the process: 0 when nobody holds the other end of the socket, or after
   SIGTERM; 111 when the first worker could not begin. */
_Noreturn void loader_run(struct settings *);

#endif
