/* XCLIENT: a client that is trusted, mostly a balancer or a filter, says for whom it
   speaks (Postfix's XCLIENT_README). The rules of the listener were for the one
   that is connected: RELAYCLIENT, which it may have had from them, is not for
   those it speaks for, unless it says that one has logged in.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_XCLIENT_H
#define SMTPD_XCLIENT_H

#include "session.h"

/* The line of EHLO's reply. */
void xclient_announce(struct session *);

/* The command: afterwards the session begins anew, with a greeting. */
void xclient_run(struct session *, const char *argument);

#endif
