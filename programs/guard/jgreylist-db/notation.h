/* How entries are written: networks as 192.0.2.0/24, times as TAI64N labels,
   for people as local time.
   SPDX-License-Identifier: ISC */
#ifndef NOTATION_H
#define NOTATION_H

#include <time.h>

#include "mail/greylist.h"
#include "system/net.h"

enum { NOTATION_NETWORK = NET_NETWORK_TEXT, NOTATION_TIME = 64 };

enum notation { TAI64N, LOCAL_TIME };

const char *notation_of_key(const struct greylist_key *,
			    char text[NOTATION_NETWORK]);

const char *notation_of_time(time_t, enum notation, char text[NOTATION_TIME]);

/* An address is whom it is for by the unit; 192.0.2.0/24 is that entry, whatever
   the unit is. 0, or -1 when no entry can be for it. */
int notation_read_key(const char *text, enum greylist_unit,
		      struct greylist_key *);

/* A TAI64 or TAI64N label, or seconds since 1970. 0, or -1. */
int notation_read_time(const char *text, time_t *);

#endif
