/* AUTH (RFC 4954). A login is checked by somebody else: auth-cdb over AUTH_CDB, or
   the checkpassword program of our command line. Nothing of a password is kept,
   logged or put into an argument.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_AUTH_H
#define SMTPD_AUTH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct session;

struct auth {
	char **checker;   /* the command line's words; NULL: none */
	const char *host; /* of CRAM-MD5's challenges */
	bool done;
	struct str login;
	const char *mechanism;
	size_t failures;
};

/* What the command line and the settings say. A setting that cannot be had ends
   the session. */
void auth_prepare(struct session *, int argc, char **argv);

/* The lines of EHLO's reply, where a mechanism can be had now. */
void auth_announce(struct session *);

/* The command. A client that guesses too often ends the session. */
void auth_run(struct session *, const char *argument);

/* NULL, or the reply to a MAIL that needs a login before it. */
const char *auth_is_there(struct session *);

/* TLS has begun: who the client is must be said again. */
void auth_forget(struct session *);

#endif
