/* Policy programs with the interface of qmail-spp: run at each command, told by
   variables what the client has said, they answer by lines.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_PLUGINS_H
#define SMTPD_PLUGINS_H

#include "session.h"

/* Reads control/smtpplugins, where $ENABLE_SPP says so, and runs those of the
   connection. */
void plugins_open(struct session *);

enum plugin_phase {
	PLUGINS_CONNECTION,
	PLUGINS_HELO,
	PLUGINS_MAIL,
	PLUGINS_RCPT,
	PLUGINS_DATA,
	PLUGINS_AUTH,
};

/* What they say of a command. `text` is the argument it is about: the name, the
   address, or NULL. PLUGINS_REFUSE: the reply is in session->refusal. */
enum plugin_verdict {
	PLUGINS_GO_ON,
	PLUGINS_ACCEPT, /* without our own checks */
	PLUGINS_REFUSE,
};

/* What they have said of the transaction, and of the client. */
void plugins_forget_transaction(struct session *);
void plugins_forget_client(struct session *);

enum plugin_verdict plugins_run(struct session *, enum plugin_phase,
				struct str *text);

#endif
