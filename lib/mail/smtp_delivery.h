/* Handing a message on to the next server while its client waits: the first of
   several servers that will talk takes it, and its answer is the client's.

   There is one answer for all recipients. Where they fare alike, it is that of the
   server. Where they do not, the client is to try again: for ever would be a lie
   about some of them. Before the message is sent that costs nothing; behind it,
   which is a matter of LMTP, those who have got it will get it twice.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_SMTP_DELIVERY_H
#define MAIL_SMTP_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/exit_codes.h"
#include "base/str.h"
#include "mail/smtp_client.h"
#include "mail/smtp_transaction.h"
#include "mail/stage.h"
#include "system/deadline.h"
#include "system/dial.h"

enum {
	SMTP_DELIVERY_SECONDS = 300,
	SMTP_DELIVERY_CONNECT_SECONDS = 30,
	SMTP_DELIVERY_SECONDS_LIMIT = 86400,
};

struct smtp_delivery;

/* Connects to the server at hand and says hello. What is not DONE leaves a reply,
   or a code and a reason. */
typedef enum smtp_step smtp_delivery_open(struct smtp_delivery *);

struct smtp_delivery {
	/* The program's settings. */
	char *const *servers; /* in dial_parse's form, up to a NULL */
	unsigned default_port;
	enum smtp_protocol protocol;
	smtp_delivery_open *open;
	const void *settings; /* of `open` */
	const char *name; /* ours, for the hello; NULL: the control files say */
	unsigned long seconds; /* for everything */
	unsigned long
		connect_seconds; /* for one server to take the connection */

	/* The server at hand. */
	const char *server;
	struct dial_place place;
	deadline share; /* for all that comes before the message */
	struct smtp_client client;
	struct smtp_tally tally;
	enum queue_exit_code code;
	const char *text; /* for the client, in stage_refuse's form; or NULL */
	struct str reason;
	struct str security; /* what there is of it, for the log */

	const struct stage *stage;
	deadline end;
	struct str own_name;
};

/* Whether the servers, and there is one, and the name are in the right form. */
bool smtp_delivery_is_usable(const struct smtp_delivery *);

/* What to exit with; the log has a line, and the client its text. */
enum queue_exit_code smtp_delivery_run(struct smtp_delivery *,
				       const struct stage *);

/* For `open`: the connection alone; then greeting and hello; and both. */
enum smtp_step smtp_delivery_connect(struct smtp_delivery *);
enum smtp_step smtp_delivery_greet(struct smtp_delivery *);
enum smtp_step smtp_delivery_open_plainly(struct smtp_delivery *);

/* For `open`: why it did not work, and what the client is told if no other server
   is left. A step that is not DONE. */
enum smtp_step smtp_delivery_fail_saying(struct smtp_delivery *,
					 const char *text, const char *reason);

#endif
