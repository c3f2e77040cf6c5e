/* Who is to be looked up: PROTO, TCPREMOTEIP and TCP6REMOTEIP. An IPv4 address
   in IPv6 clothes is an IPv4 address here.
   SPDX-License-Identifier: ISC */
#ifndef RBLSMTPD_CLIENT_H
#define RBLSMTPD_CLIENT_H

#include "system/net.h"

struct client {
	struct net_ip ip; /* NET_NONE: what there is, is no address */
	char text[64];    /* printable; empty when there is nothing */
};

struct client client_from_environment(void);

/* "rblsmtpd: IP pid PID: …" */
void client_log(const struct client *, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
