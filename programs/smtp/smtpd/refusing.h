/* Refusals: of one command, which count and may end the session, and of a whole
   session, in which all that works is QUIT.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_REFUSING_H
#define SMTPD_REFUSING_H

#include "session.h"

/* 550GREETING and 421GREETING: NULL, or the greeting that refuses. */
const char *refusing_greeting(struct session *);

/* Says the greeting, and the same words to whatever comes. */
_Noreturn void refusing_serve(struct session *, const char *greeting);

#endif
