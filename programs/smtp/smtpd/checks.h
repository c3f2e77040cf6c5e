/* The policy: may this sender, may this recipient be? Each gives NULL to
   accept, or the reply that refuses.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_CHECKS_H
#define SMTPD_CHECKS_H

#include "session.h"

/* The argument of MAIL; accepted, it opens the transaction. */
const char *check_sender(struct session *, const char *argument);

/* The argument of RCPT; accepted, it is in the envelope. */
const char *check_recipient(struct session *, const char *argument);

/* How many one message may have; 0 for no limit. */
unsigned long recipients_limit(const struct session *);

/* An address whose domain is one of this machine's IP addresses in brackets
   gets the name of control/localiphost for it. */
void name_own_literal(struct session *, struct str *address);

/* NULL, or the reply to an address that may not be without SMTPUTF8. */
const char *check_utf8(const struct session *, const struct str *address);

#endif
