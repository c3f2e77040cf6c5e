/* Both ends of a TCP connection, as a program finds them that holds it, and as
   it tells them to the next one: the TCP* variables of ucspi-tcp's environment
   (tcp-environ(5)). mail/connection.h is how a later stage reads those.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_ENDS_H
#define MAIL_ENDS_H

#include "system/net.h"

/* Names and info are NULL while they are not known. */
struct ends {
	struct net_ip local_ip;
	unsigned local_port;
	const char *local_host;
	struct net_ip remote_ip;
	unsigned remote_port;
	const char *remote_host;
	const char *remote_info;
	unsigned scope; /* the interface of a link-local address, or 0 */
};

/* Addresses and ports; no names. 0, or -1 with errno: `*what` names the step.
   EAFNOSUPPORT for a socket that is not of IP. */
int ends_of_socket(int fd, struct ends *, const char **what);

/* Sets PROTO and the variables of either family: TCP*, and for IPv6 TCP6* with
   the same values too. What is not known is unset, whoever had set it. 0, or -1
   with errno. */
int ends_to_environment(const struct ends *);

#endif
