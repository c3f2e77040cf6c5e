/* The control file of the younger dialect: one filter a line,

       DOMAIN:COMMAND
       DOMAIN:COMMAND:NAME=VALUE,NAME=,…

   for messages whose sender's domain is that: letters in any case, with the
   wildcards * ? [] of a shell, or, when $QREGEX is set, an extended regular
   expression. The command is a shell's; NAME= takes a variable away.
   SPDX-License-Identifier: ISC */
#ifndef QMAIL_QFILTER_CONTROL_H
#define QMAIL_QFILTER_CONTROL_H

#include "run.h"

/* Runs those that are for the message as it is by now. As run_filter, and
   QUEUE_CANNOT_READ_SETTINGS. */
int control_run_filters(struct run *);

#endif
