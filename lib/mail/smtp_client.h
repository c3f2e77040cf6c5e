/* The client's side of SMTP (RFC 5321) and LMTP (RFC 2033), step by step, for
   one message a connection. The next server is not trusted: what it sends is
   limited in time and size, and anything but an answer to what it was asked ends
   the conversation.

   A step that has not done well leaves in `reply` what the server said, with a
   code of 0 where it said nothing.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_SMTP_CLIENT_H
#define MAIL_SMTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "mail/envelope.h"
#include "mail/smtp_line.h"
#include "mail/smtp_reply.h"
#include "mail/stage_message.h"
#include "system/deadline.h"
#include "system/stream.h"

enum smtp_protocol { SMTP_CLIENT_SMTP, SMTP_CLIENT_LMTP };

enum smtp_step {
	SMTP_DONE,
	SMTP_REFUSED,  /* the reply begins with 5 */
	SMTP_DEFERRED, /* with 4 */
	SMTP_TIMED_OUT,
	SMTP_BROKEN,     /* the connection ended, or what came is no reply */
	SMTP_NO_MESSAGE, /* ours cannot be read: errno */
};

/* What the server has said it can do; more than one of them is a set. */
enum smtp_extension {
	SMTP_PIPELINING = 1,
	SMTP_SIZE = 2,
	SMTP_8BITMIME = 4,
	SMTP_UTF8 = 8,
	SMTP_STARTTLS = 16,
	SMTP_AUTH_PLAIN = 32,
};

struct smtp_client {
	int fd;
	enum smtp_protocol protocol;
	unsigned extensions; /* enum smtp_extension */
	bool in_message;     /* the server waits for the rest of it */
	int failure;         /* errno of what could not be said */
	struct smtp_reply reply;
	struct smtp_line line;
	struct stream_in in;
	struct stream_out out;
	char received[2 * SMTP_LINE_LIMIT];
	char collected[4096];
};

/* A new connection, whose descriptor is a socket. */
void smtp_client_start(struct smtp_client *, enum smtp_protocol, int fd);

/* When every step from now on must be done. */
void smtp_client_set_deadline(struct smtp_client *, deadline);

enum smtp_step smtp_client_greeting(struct smtp_client *);

/* EHLO, or HELO for a server that does not know that; LHLO with LMTP. */
enum smtp_step smtp_client_hello(struct smtp_client *, const char *name);

/* Asks for TLS. Once that stands, what follows goes through another socket, the
   old one being the caller's again, and begins with another hello. */
enum smtp_step smtp_client_starttls(struct smtp_client *);
void smtp_client_exchange(struct smtp_client *, int fd);

/* AUTH PLAIN (RFC 4954): the password goes to whoever is there. */
enum smtp_step smtp_client_log_in(struct smtp_client *, const char *login,
				  const char *password);

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
bool smtp_client_can_say(const struct envelope *);
bool smtp_client_needs_utf8(const struct envelope *);

/* MAIL, RCPT for every recipient, and, if all of them are taken, DATA. DONE: the
   server waits for the message. Otherwise the tally says which recipients were
   the cause; when none was, it was the sender or DATA. */
enum smtp_step smtp_client_envelope(struct smtp_client *,
				    const struct envelope *,
				    const struct stage_message *,
				    struct smtp_tally *);

/* The message, and what the server says of it: with SMTP one reply for all, with
   LMTP one for each recipient. DONE: all of them have it. Otherwise the tally,
   which begins anew, has those whose reply came. */
enum smtp_step smtp_client_message(struct smtp_client *,
				   const struct envelope *,
				   const struct stage_message *,
				   struct smtp_tally *);

/* Says goodbye, does not wait for an answer, and closes. In the middle of a message
   it only closes, and the server throws away what it has. */
void smtp_client_quit(struct smtp_client *);

#endif
