/* The lists of senders, recipients and HELO names that are not wanted:
   badmailfrom, badmailfromnorelay, badrcptto, badrcpttonorelay, badhelo. Whatever
   they say is told at RCPT, so that nobody can probe them with MAIL alone.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_PATTERNS_H
#define SMTPD_PATTERNS_H

#include "session.h"

/* At MAIL: what there is to say at each RCPT. */
void patterns_note_sender(struct session *);

/* NULL, or the reply that refuses the recipient. */
const char *patterns_check_recipient(struct session *);

#endif
