/* The programs that we ask about DNS: mxcheck, spfcheck, rblcheck.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_INQUIRY_H
#define SMTPD_INQUIRY_H

#include <stdbool.h>

#include "system/helper.h"

struct session;

/* Runs one that says its answer on descriptor 1; both lists end in NULL, the
   second one may be NULL. False: it cannot be run, and the log says so. */
bool inquiry_start(struct session *, struct helper *,
		   const char *const *arguments, const char *const *variables);

enum { INQUIRY_SECONDS = 24 };

/* For the option -t of one that takes so many seconds: less, where that would
   be more than half of what helpers may take here. Returns `text`. */
const char *inquiry_seconds(const struct session *, unsigned long usual,
			    char text[INQUIRY_SECONDS]);

#endif
