/* RBL: what the DNS lists of control/rbllist say of the client, as in
   qmail-ldap; the program rblcheck asks them, once for a session. A list that
   does not answer lists nobody; when rblcheck itself cannot do it, the client is
   told to come again, but with RBLONLYHEADER.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_RBL_H
#define SMTPD_RBL_H

#include <stdbool.h>

#include "base/str.h"

struct session;

struct rbl {
	bool is_known;
	struct str ip;       /* whom it is about */
	struct str listings; /* rblcheck's lines */
};

/* NULL, or the reply that refuses the sender. Of what does not refuse there are
   fields in the transaction then. */
const char *rbl_check(struct session *);

#endif
