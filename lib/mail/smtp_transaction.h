/* A message on its way to the next server, in a conversation (mail/smtp_client.h)
   that has been opened: its envelope, then the message; one a connection.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_SMTP_TRANSACTION_H
#define MAIL_SMTP_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>

#include "mail/envelope.h"
#include "mail/smtp_client.h"
#include "mail/smtp_reply.h"
#include "mail/stage_message.h"

/* How many of a message's recipients were taken, and the first of each kind that
   were not: the recipient, NULL where there is none, and the reply. */
struct smtp_tally {
	size_t taken;
	size_t refused;
	size_t deferred;
	const char *first_refused;
	const char *first_deferred;
	struct smtp_reply refusal;
	struct smtp_reply deferral;
};

/* Whether a command can carry each of the addresses; and whether one of them needs
   SMTPUTF8 (RFC 6531). */
bool smtp_transaction_can_say(const struct envelope *);
bool smtp_transaction_needs_utf8(const struct envelope *);

/* MAIL, RCPT for every recipient, and, if all of them are taken, DATA. DONE: the
   server waits for the message. Otherwise the tally says which recipients were
   the cause; when none was, it was the sender or DATA. */
enum smtp_step smtp_transaction_envelope(struct smtp_client *,
					 const struct envelope *,
					 const struct stage_message *,
					 struct smtp_tally *);

/* The message, and what the server says of it: with SMTP one reply for all, with
   LMTP one for each recipient. DONE: all of them have it. Otherwise the tally,
   which begins anew, has those whose reply came. */
enum smtp_step smtp_transaction_message(struct smtp_client *,
					const struct envelope *,
					const struct stage_message *,
					struct smtp_tally *);

#endif
