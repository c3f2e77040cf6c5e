/* The header with which a balancer begins a connection that it passes on: the
   PROXY protocol, version 1 (a line of text) and version 2 (binary), as
   haproxy's proxy-protocol.txt describes them. Whoever may send one can say
   that he is anybody: ask only those who are trusted.
   SPDX-License-Identifier: ISC */
#ifndef SYSTEM_PROXY_H
#define SYSTEM_PROXY_H

#include <stddef.h>

#include "system/net.h"

/* The longest header that is taken. Version 2 allows 64 kB, nearly all of it
   for extensions; the fattest in use holds a client's certificate. */
enum { PROXY_HEADER = 4096 };

enum proxy_kind {
	PROXY_FOR_ITSELF, /* a check, or no TCP client: the socket's addresses
			     are right, those below are NET_NONE */
	PROXY_FOR_CLIENT,
};

struct proxy_header {
	enum proxy_kind kind;
	size_t length; /* what it takes of the input */
	struct net_ip source;
	unsigned source_port;
	struct net_ip destination;
	unsigned destination_port;
};

enum proxy_result {
	PROXY_READ,
	PROXY_INCOMPLETE, /* so far it may become one */
	PROXY_FAILED,
};

/* The header that the bytes begin with. PROXY_FAILED: there is none, and more
   bytes cannot make it one; addresses and ports in any but their one usual
   form, and headers that are too long, are none either. Extensions of version
   2 are skipped unseen. */
enum proxy_result proxy_parse(const void *bytes, size_t length,
			      struct proxy_header *);

/* The same from a socket, without waiting. The header is taken from it when it
   is whole, and no byte behind it. PROXY_FAILED with errno: EPROTO for
   anything but a header, ECONNRESET when the connection ends before its end. */
enum proxy_result proxy_read(int socket, struct proxy_header *);

#endif
