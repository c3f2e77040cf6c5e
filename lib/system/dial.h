/* Connecting to a server that a user has named, by a deadline: a socket's path,
   or a host and a port.
   SPDX-License-Identifier: ISC */
#ifndef SYSTEM_DIAL_H
#define SYSTEM_DIAL_H

#include "system/deadline.h"
#include "system/dns_answer.h"

struct dial_place {
	const char *path; /* of a unix socket; NULL: by TCP */
	/* A name or an address, without brackets. */
	char host[DNS_NAME];
	unsigned port;
};

/* "/path" (which must stay), "HOST:PORT", "[IPV6]:PORT"; with a default port
   that is not 0 also "HOST", "[IPV6]" and "IPV6". 0, or -1 with EINVAL. */
int dial_parse(const char *where, unsigned default_port, struct dial_place *);

/* The connection: a descriptor above 2 that does not block, is not inherited, and
   by TCP sends at once (TCP_NODELAY).
   -1 with errno: ENONET when no address of the name was found, ETIMEDOUT at the
   deadline, otherwise that of the last attempt. The addresses
   of a name are tried in the order of dns_find_addresses; each may take its share
   of the time that is left. The DNS is asked (by way of DNSCACHEIP, if that is
   set) for a name only, and not for `localhost`, which is 127.0.0.1 and then
   ::1. */
int dial(const struct dial_place *, deadline);

/* Both in one; EINVAL when the text is none. */
int dial_text(const char *where, unsigned default_port, deadline);

#endif
