/* AUTH (RFC 4954). A login is checked by somebody else: auth-cdb over AUTH_CDB, or
   the checkpassword program of our command line. Nothing of a password is kept,
   logged or put into an argument.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_AUTH_H
#define SMTPD_AUTH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "settings.h"

struct session;

enum auth_backend {
	AUTH_BY_NOBODY,
	AUTH_BY_TABLE,   /* AUTH_CDB */
	AUTH_BY_CHECKER, /* the command line's */
};

enum auth_mechanism {
	AUTH_LOGIN = 1 << 0,
	AUTH_PLAIN = 1 << 1,
	AUTH_CRAM_MD5 = 1 << 2,
	AUTH_SCRAM = 1 << 3,
};

struct auth {
	enum auth_backend backend;
	unsigned mechanisms; /* that are on */
	bool required;       /* SMTPAUTH's word for REQUIRE_AUTH */
	bool needs_tls;      /* its word against ALLOW_INSECURE_AUTH */
	char **checker;      /* the command line's words */
	const char *host;    /* of CRAM-MD5's challenges */

	bool done;
	struct str login;
	const char *mechanism; /* in small letters */
	size_t failures;

	/* As it was before the login: each variable with a NUL behind it. */
	struct str environment;
	struct str restored; /* the same of a login that has been taken back */
	enum relaying relaying;
	const char *relay_suffix;
};

/* What the command line and the settings say. A setting that cannot be had ends
   the session. */
void auth_prepare(struct session *, int argc, char **argv);

/* The lines of EHLO's reply, where a mechanism can be had now. */
void auth_announce(struct session *);

/* How long a command line may be that begins with these bytes, or an answer. */
size_t auth_line_limit(const char *bytes, size_t length);
size_t auth_answer_limit(const char *bytes, size_t length);

/* The command. A client that guesses too often ends the session. */
void auth_run(struct session *, const char *argument);

/* NULL, or the reply to a MAIL that needs a login before it. */
const char *auth_is_there(struct session *);

/* A client that is trusted says who has logged in with it. */
void auth_believe(struct session *, const char *login);

/* TLS has begun: who the client is must be said again. */
void auth_forget(struct session *);

#endif
