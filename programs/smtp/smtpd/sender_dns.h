/* What DNS says of the sender: does its domain take mail (MFCHECK, RETURNMXCHECK),
   may this client send for it (SPF). The programs mxcheck and spfcheck ask, both at
   once.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_SENDER_DNS_H
#define SMTPD_SENDER_DNS_H

#include "session.h"
#include "system/helper.h"

/* NULL, or the reply that refuses the sender now. What SPF refuses is told at RCPT:
   it is in the transaction. */
const char *sender_dns_check(struct session *);

/* Runs one that says its answer on descriptor 1; both lists end in NULL, the
   second one may be NULL. False: it cannot be run, and the log says so. */
bool sender_dns_start(struct session *, struct helper *,
		      const char *const *arguments,
		      const char *const *variables);

enum { SENDER_DNS_SECONDS = 24 };

/* For the option -t of one that takes so many seconds: less, where that would
   be more than half of what helpers may take here. Returns `text`. */
const char *sender_dns_seconds(const struct session *, unsigned long usual,
			       char text[SENDER_DNS_SECONDS]);

#endif
