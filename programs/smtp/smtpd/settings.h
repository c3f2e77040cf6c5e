/* What the operator has set: control files and environment, read once at the
   start (qmail-smtpd(8) lists them).
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_SETTINGS_H
#define SMTPD_SETTINGS_H

#include <stdbool.h>

#include "base/str.h"
#include "mail/queue_client.h"
#include "system/table.h"

/* Whose mail is taken, beside that for addresses without a domain. */
enum relaying {
	RELAY_LISTED,      /* for the domains of rcpthosts */
	RELAY_NOTHING,     /* there is no list */
	RELAY_EVERYTHING,  /* there is no list, and that is wanted */
	RELAY_THIS_CLIENT, /* $RELAYCLIENT */
};

struct settings {
	struct str greeting;
	struct str literal_host; /* stands for [our own IP address] */
	unsigned long timeout;
	unsigned long databytes; /* 0: no limit */
	struct str bad_senders;  /* NUL-ended lines, as the next */
	enum relaying relaying;
	struct str recipient_hosts;
	struct table more_recipient_hosts;
	const char *relay_suffix;
	struct queue_client_settings queue;
};

/* 0, or -1 when something is there and cannot be read, or there is no name to
   greet with; `*what` is the control file, errno the cause (0: it is not
   there). */
int settings_read(struct settings *, const char *relay_suffix,
		  const char **what);

#endif
