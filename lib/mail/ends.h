/* Both ends of a TCP connection, as a program finds them that holds it, and as
   it tells them to the next one: the TCP* variables of ucspi-tcp's environment
   (tcp-environ(5)). mail/connection.h is how a later stage reads those.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_ENDS_H
#define MAIL_ENDS_H

#include <stdbool.h>

#include "system/dns.h"
#include "system/ident.h"
#include "system/net.h"

/* Names and info are NULL while they are not known; what was looked up is in
   here too, so a copy of it would point into the original. */
struct ends {
	struct net_ip local_ip;
	unsigned local_port;
	const char *local_host;
	struct net_ip remote_ip;
	unsigned remote_port;
	const char *remote_host;
	const char *remote_info;
	unsigned scope; /* the interface of a link-local address, or 0 */
	char local_name[DNS_NAME];
	char remote_name[DNS_NAME];
	char info[IDENT_INFO];
};

/* What is worth the wait. */
struct ends_wanted {
	const char *local_host; /* NULL: look it up */
	bool remote_host;
	bool remote_info;
	unsigned long info_seconds;
};

/* Addresses and ports; no names. 0, or -1 with errno: `*what` names the step.
   EAFNOSUPPORT for a socket that is not of IP. */
int ends_of_socket(int fd, struct ends *, const char **what);

/* Fills in the names and the info that are wanted; what cannot be found in
   time stays unknown. */
void ends_look_up(struct ends *, const struct ends_wanted *, struct dns *);

/* Sets PROTO and the variables of either family: TCP*, and for IPv6 TCP6* with
   the same values too. What is not known is unset, whoever had set it. 0, or -1
   with errno. */
int ends_to_environment(const struct ends *);

#endif
