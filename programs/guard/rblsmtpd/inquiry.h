/* Asking all lists at once, and waiting for what they say; while the client
   waits for its greeting, if it has to.
   SPDX-License-Identifier: ISC */
#ifndef RBLSMTPD_INQUIRY_H
#define RBLSMTPD_INQUIRY_H

#include <stdbool.h>

#include "client.h"
#include "look_up.h"
#include "settings.h"
#include "system/deadline.h"
#include "system/dns.h"
#include "verdict.h"

struct inquiry {
	const struct settings *settings;
	const struct client *client;
	struct dns dns;
	struct look_up look_ups[MOST_LISTS];
	deadline lookup_end;
	deadline hurry_at;
	bool client_waits;
	deadline wait_end;
};

/* Into a struct that is all zero. A client without an address is looked up as
   if nobody answered. */
void inquiry_start(struct inquiry *, const struct settings *,
		   const struct client *);

/* Until the lists that matter have had their say, and the client has waited, if
   that matters. One that may not talk meanwhile, and does, is refused here: that
   is the end of the process. */
struct verdict inquiry_verdict(struct inquiry *);

/* Until every list has answered, or never will; the client does not wait. */
struct verdict inquiry_whole_verdict(struct inquiry *);

#endif
