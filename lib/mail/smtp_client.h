/* The client's side of a conversation in SMTP (RFC 5321) or LMTP (RFC 2033), step
   by step; mail/smtp_transaction.h has a message's steps. The next server is not trusted: what it sends is
   limited in time and size, and anything but an answer to what it was asked ends
   the conversation.

   A step that has not done well leaves in `reply` what the server said, with a
   code of 0 where it said nothing.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_SMTP_CLIENT_H
#define MAIL_SMTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "mail/smtp_line.h"
#include "mail/smtp_reply.h"
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

/* What steps are made of. `say` collects; what could not be said shows when it is
   sent. `expect` is for the next reply: DONE when it is of that class (2, 3), and
   `ask` sends and expects. */
void smtp_client_say(struct smtp_client *, const char *text);
enum smtp_step smtp_client_send(struct smtp_client *);
enum smtp_step smtp_client_expect(struct smtp_client *, unsigned class);
enum smtp_step smtp_client_ask(struct smtp_client *, unsigned class);

/* The step for errno, of a read or a write. */
enum smtp_step smtp_client_cause(void);

/* Says goodbye, does not wait for an answer, and closes. In the middle of a message
   it only closes, and the server throws away what it has. */
void smtp_client_quit(struct smtp_client *);

#endif
