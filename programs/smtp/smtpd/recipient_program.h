/* RCPTCHECK: a program of the operator says whether a recipient is good.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_RECIPIENT_PROGRAM_H
#define SMTPD_RECIPIENT_PROGRAM_H

#include "session.h"

/* NULL, or the reply that refuses the recipient. */
const char *recipient_program_check(struct session *);

#endif
