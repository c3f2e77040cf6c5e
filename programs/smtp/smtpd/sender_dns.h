/* What DNS says of the sender: does its domain take mail (MFCHECK, RETURNMXCHECK),
   may this client send for it (SPF). The programs mxcheck and spfcheck ask, both at
   once.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_SENDER_DNS_H
#define SMTPD_SENDER_DNS_H

#include "session.h"

/* NULL, or the reply that refuses the sender now. What SPF refuses is told at RCPT:
   it is in the transaction. */
const char *sender_dns_check(struct session *);

#endif
