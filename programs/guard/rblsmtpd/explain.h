/* -n: says what each list answered, and what would come of it.
   SPDX-License-Identifier: ISC */
#ifndef RBLSMTPD_EXPLAIN_H
#define RBLSMTPD_EXPLAIN_H

#include "client.h"
#include "look_up.h"
#include "settings.h"
#include "verdict.h"

void explain_look_up(const struct client *, const struct look_up *);

/* `reply` is what the client would get if it were refused. */
void explain_verdict(const struct client *, const struct verdict *,
		     const char *reply);

/* The same for what $RBLSMTPD says; NULL: to let it in. */
void explain_rule(const struct client *, const char *reply);

#endif
