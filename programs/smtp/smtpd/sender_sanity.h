/* qmail-ldap's questions that need nobody else: NOBOUNCE, SANITYCHECK.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_SENDER_SANITY_H
#define SMTPD_SENDER_SANITY_H

#include "session.h"

/* NULL, or the reply that refuses the sender. */
const char *sender_sanity_check(struct session *);

#endif
