/* SPF (RFC 7208): may this client send in the name of the sender's domain? The
   program spfcheck looks that up; what comes of it, SPFBEHAVIOR says. A surprise:
   what is refused for good is told at RCPT, as by qmail's lists of bad senders;
   only an answer that cannot be had is told at MAIL.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_SENDER_SPF_H
#define SMTPD_SENDER_SPF_H

#include <stdbool.h>

#include "system/helper.h"

struct session;

struct spf_inquiry {
	bool is_wanted;
	bool has_started;
	struct helper helper;
};

/* Asks of the address at hand, if that is to be asked at all, and does not
   wait. */
void spf_ask(struct session *, struct spf_inquiry *);

/* Waits. NULL, or the reply that refuses the sender now; the transaction has the
   field Received-SPF, and what is refused later, and the queue program's
   environment SPFRESULT, SPFDOMAIN and SPFLOCAL. */
const char *spf_hear(struct session *, struct spf_inquiry *);

/* Takes them out of the environment: of another sender they are not true. */
void spf_forget(struct session *);

#endif
