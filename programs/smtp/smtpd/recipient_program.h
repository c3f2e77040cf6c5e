/* RCPTCHECK: a program of the operator says whether a recipient is good. It is
   told SENDER, RECIPIENT, HELO, and RCPTHOSTS=1 where rcpthosts has the domain, in
   its environment; it answers by its exit code and, if it likes, by the text of a
   reply on descriptor 4 (USE_FD4=1). What is no refusal there is not passed on:
   only an exit code accepts.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_RECIPIENT_PROGRAM_H
#define SMTPD_RECIPIENT_PROGRAM_H

#include "session.h"

/* NULL, or the reply that refuses the recipient. A program that cannot be run, or
   a reply that begins with 421, ends the session. */
const char *recipient_program_check(struct session *);

#endif
