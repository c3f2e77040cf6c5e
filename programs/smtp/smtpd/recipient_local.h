/* Is there such an account here (qmail-ldap's RCPTCHECK and SENDERCHECK)?
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_RECIPIENT_LOCAL_H
#define SMTPD_RECIPIENT_LOCAL_H

#include "session.h"

/* NULL, or the reply that refuses. */
const char *recipient_local_check(struct session *);
const char *recipient_local_check_sender(struct session *);

#endif
