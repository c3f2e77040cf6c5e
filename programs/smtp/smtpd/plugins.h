/* Policy programs with the interface of qmail-spp: run at each command, told by
   variables what the client has said, they answer by lines (smtpplugins(5)).
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_PLUGINS_H
#define SMTPD_PLUGINS_H

#include <stdbool.h>

#include "base/str.h"

struct session;

/* Bytes of what one says that are looked at. */
enum { PLUGINS_ANSWER = 16384 };

enum plugin_phase {
	PLUGINS_CONNECTION,
	PLUGINS_HELO,
	PLUGINS_MAIL,
	PLUGINS_RCPT,
	PLUGINS_DATA,
	PLUGINS_AUTH,
	PLUGINS_PHASES,
};

/* What is to come back, as long as what it was said of is in force. */
struct plugins_said {
	struct str of_mail; /* refusals: lines with CRLF between them */
	struct str of_rcpt;
	struct str of_data;
	struct str fields; /* each ends in LF */
};

struct plugins {
	bool stopped;           /* for the session */
	bool stopped_until_tls; /* by what was said before it */
	/* Their lines in the file, each ended by a NUL. */
	struct str programs[PLUGINS_PHASES];
	struct plugins_said of_client;
	struct plugins_said of_helo;
	struct plugins_said of_transaction;
};

/* Reads control/smtpplugins, where $ENABLE_SPP says so. One that cannot be read
   ends the session. */
void plugins_open(struct session *);

enum plugin_verdict {
	PLUGINS_GO_ON,
	PLUGINS_SKIP,   /* a plugin's: without the others of this command */
	PLUGINS_ACCEPT, /* without our own checks */
	PLUGINS_REFUSE,
};

/* What they say of a command, never PLUGINS_SKIP. `text` is the argument it is
   about: the name, the address, or NULL. PLUGINS_REFUSE: the reply is in
   session->refusal. */
enum plugin_verdict plugins_run(struct session *, enum plugin_phase,
				struct str *text);

/* What they have said of the transaction; of what the client said before TLS; and
   of the client. */
void plugins_forget_transaction(struct session *);
void plugins_forget_words(struct session *);
void plugins_forget_client(struct session *);

#endif
