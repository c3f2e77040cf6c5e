/* Is there such an account here? qmail-ldap's flags RCPTCHECK and SENDERCHECK,
   which ask for the addresses of the domains in control/locals. Instead of an LDAP
   server the table of mkvalidrcptto(8) is asked, VALIDRCPTTO_CDB or
   control/validrcptto.cdb: it has been made from the accounts, and who parses SMTP
   need not be able to see homes.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_RECIPIENT_LOCAL_H
#define SMTPD_RECIPIENT_LOCAL_H

#include "session.h"

/* NULL, or the reply that refuses. */
const char *recipient_local_check(struct session *);
const char *recipient_local_check_sender(struct session *);

#endif
