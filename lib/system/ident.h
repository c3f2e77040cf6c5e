/* Who has opened a connection, as the other machine tells (RFC 1413). What it
   tells is a note for its own administrator and proves nothing.
   SPDX-License-Identifier: ISC */
#ifndef SYSTEM_IDENT_H
#define SYSTEM_IDENT_H

#include <stdbool.h>
#include <stddef.h>

#include "system/deadline.h"
#include "system/net.h"

enum {
	IDENT_PORT = 113,
	IDENT_INFO = 257,   /* 256 bytes and a NUL */
	IDENT_REPLY = 1024, /* of a line; RFC 1413 allows 1000 */
};

struct ident_connection {
	struct net_ip local_ip; /* of a known one: the question comes from it */
	unsigned local_port;
	struct net_ip remote_ip;
	unsigned remote_port;
	unsigned scope; /* of a link-local remote address, or 0 */
};

struct ident {
	int fd;
	unsigned ports[2]; /* theirs, ours */
	bool sent;
	size_t length;
	char reply[IDENT_REPLY];
};

enum ident_result {
	IDENT_FOUND,
	IDENT_UNKNOWN, /* no such server, no user, no answer that is one */
	IDENT_WAITS,
};

/* Begins to ask the server at that port of the remote machine. 0, or -1. */
int ident_open(struct ident *, const struct ident_connection *, unsigned port);
void ident_close(struct ident *);

/* For a loop: whenever ident_events (of poll) have come on its descriptor. The
   info has no blanks, and '?' for what is not printable. */
enum ident_result ident_serve(struct ident *, char info[IDENT_INFO]);
short ident_events(const struct ident *);

/* For those who wait. IDENT_FOUND or IDENT_UNKNOWN. */
enum ident_result ident_find(const struct ident_connection *, unsigned port,
			     deadline, char info[IDENT_INFO]);

/* The info of a reply line, without its end: 0, or -1 when there is none. */
int ident_parse(const char *reply, size_t length, char info[IDENT_INFO]);

#endif
