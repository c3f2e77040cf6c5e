/* Who says whether a login is good: auth-cdb over AUTH_CDB, or the command line's
   checkpassword program, asked on descriptor 3 for one answer.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_AUTH_CHECKER_H
#define SMTPD_AUTH_CHECKER_H

#include <stdbool.h>

#include "base/str.h"
#include "session.h"
#include "system/helper.h"

enum auth_verdict {
	AUTH_ACCEPTED,
	AUTH_REFUSED,    /* a guess, to be counted */
	AUTH_UNFINISHED, /* neither: the reply says why */
};

/* What has been found about a login that somebody tries. */
struct auth_attempt {
	struct str login;
	struct str variables; /* the table's: NAME=VALUE, each with a NUL */
	const char *event;    /* AUTH_REFUSED: the log's words for it */
	const char *reply;    /* AUTH_UNFINISHED */
	bool is_asked;        /* a program has been at work for it */
};

enum auth_verdict auth_check(struct session *, struct auth_attempt *,
			     const char *password, const char *challenge);

/* SCRAM: the table's side of the exchange. A message has no NUL in it, and none
   behind it that counts. */
struct auth_exchange {
	struct helper helper;
	struct str message; /* that has been received */
};

/* 0, or -1 and the attempt's reply: it did not begin. */
int auth_exchange_begin(struct session *, struct auth_attempt *,
			struct auth_exchange *);

/* Sends one message and receives one. -1: there is none, as it is over. */
int auth_exchange_pass(struct auth_exchange *, const struct str *message);

enum auth_verdict auth_exchange_end(struct auth_attempt *,
				    struct auth_exchange *);

#endif
