/* RBL: what the DNS lists of control/rbllist say of the client, as in
   qmail-ldap; the program rblcheck asks them.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_RBL_H
#define SMTPD_RBL_H

#include "session.h"

/* NULL, or the reply that refuses the sender. */
const char *rbl_check(struct session *);

#endif
