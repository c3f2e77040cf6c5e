/* The field Authentication-Results (RFC 8601) with what this session has found
   out of the client and the sender. Its name for us is that of this machine, and
   nobody else may use it: see reception.c.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_RESULTS_H
#define SMTPD_RESULTS_H

#include "base/str.h"

struct session;

enum { RESULTS_ID = 255 };

/* Of the session; zeros at first. */
struct results {
	char id[RESULTS_ID + 1];
	const char *client_name; /* the result of iprev; NULL: not asked yet */
};

/* The name, which stays where it is. */
const char *results_id(struct session *);

/* The field. It may ask for the client's name first, once. */
void results_append(struct str *, struct session *);

#endif
