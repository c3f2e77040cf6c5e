/* Relaying by certificate: a client whose certificate the TLS process has verified
   may send to everybody when the e-mail address in it is in control/tlsclients.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_TLS_CLIENTS_H
#define SMTPD_TLS_CLIENTS_H

#include "session.h"

/* Of a recipient that is not ours: NULL, and from here on the client may relay; or
   the reply that refuses. */
const char *tls_clients_check(struct session *);

#endif
