/* A message on its way from the client to the queue program, whether it comes
   behind DATA or in the chunks of BDAT. Nothing is said of it before its end, or
   the end of a chunk: what is left unread would be taken for commands.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_RECEPTION_H
#define SMTPD_RECEPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "mail/auth_results.h"
#include "mail/header.h"
#include "mail/mime_signature.h"

struct session;

struct reception {
	bool open; /* the queue program runs */
	struct header_hops hops;
	size_t length; /* so far, with LF line ends, as in databytes */
	bool too_big;
	/* Where the field Authentication-Results is written, too. */
	bool is_filtered;
	/* Where it may not bring programs. */
	bool is_scanned;
	const char *signature; /* that has been found; NULL: none */
};

/* Where these two are wanted: apart, as they are large. */
struct reception_search {
	struct auth_results_filter filter;
	struct mime_signature_scan scan;
};

/* Starts the queue program and writes our fields. NULL, or the reply that
   refuses. */
const char *reception_start(struct session *);

/* The next bytes, with LF line ends. */
void reception_add(struct session *, const char *text, size_t length);

/* It will not be accepted, whatever comes. */
bool reception_has_failed(const struct session *);

/* Hands over the envelope, and replies what has become of the message. */
void reception_end(struct session *);

/* The client does not go on: nothing is queued. Nothing, too, when there is no
   message. */
void reception_abandon(struct session *);

#endif
