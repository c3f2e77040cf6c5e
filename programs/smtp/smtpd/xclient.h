/* XCLIENT: a trusted client says for whom it speaks (Postfix's XCLIENT_README).
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_XCLIENT_H
#define SMTPD_XCLIENT_H

#include "session.h"

/* The line of EHLO's reply. */
void xclient_announce(struct session *);

void xclient_run(struct session *, const char *argument);

#endif
