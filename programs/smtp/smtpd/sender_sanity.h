/* qmail-ldap's questions that need nobody else: NOBOUNCE, SANITYCHECK, and the
   one recipient of a bounce.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_SENDER_SANITY_H
#define SMTPD_SENDER_SANITY_H

#include "session.h"

/* "", and qmail's own "#@[]" for a bounce that must not bounce. */
bool sender_is_null(const char *sender);

/* NULL, or the reply that refuses the sender. */
const char *sender_sanity_check(struct session *);

/* The same for a recipient, of which there are some already. */
const char *sender_sanity_check_recipient(struct session *);

#endif
