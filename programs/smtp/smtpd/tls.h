/* TLS, of which nothing is done here: the process at the other end of three
   descriptors does it (UCSPI-TLS: SSLCTLFD, SSLREADFD, SSLWRITEFD), and from
   STARTTLS on what is read and written here is the text inside.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_TLS_H
#define SMTPD_TLS_H

#include <stdbool.h>

#include "base/str.h"

struct session;

enum tls_state {
	TLS_ABSENT, /* nobody has set it up */
	TLS_DENIED,
	TLS_OFFERED,
	TLS_STARTED,
	TLS_ALWAYS, /* $SSL: the connection came with it */
};

struct tls {
	enum tls_state state;
	bool required; /* before MAIL */
	int control;
	int read;
	int write;
	struct str variables; /* the SSL_* that the TLS process sent */
};

/* What the environment says of TLS. With $TLS_SERVER_CERT and nobody who does
   TLS it execs ucspi-tls, which execs us again. The session is over when TLS
   is required and cannot be had. */
void tls_prepare(struct session *, int argc, char **argv);

/* STARTTLS. The reply to the client when TLS does not begin; NULL when it has
   begun, and the client is a stranger again. A client that fails in it ends
   the session. */
const char *tls_start(struct session *, const char *argument);

/* Nobody else can read what the client sends. */
bool tls_protects(const struct tls *);

#endif
