/* What happens to a client between its accept and its program, or its end.
   It takes the steps below one after the other. Most clients take all of them
   at once, on descriptor 0; one that has to be waited for at some step becomes
   an arrival (arrivals.h) and goes on from there.
   SPDX-License-Identifier: ISC */
#ifndef TCPSERVER_CLIENT_H
#define TCPSERVER_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "system/deadline.h"
#include "system/net.h"

struct look_up;
struct server;

/* In this order. Each has a function in client.c, a name there for the log,
   and the seconds that it may take in arrivals.c. */
enum step {
	CHECK_TRUST, /* may its address speak for others? */
	READ_PROXY,  /* then it says for whom */
	GREET,       /* the banner */
	LOOK_UP,     /* the names of both ends (look_up.h) */
	DECIDE,      /* rules, limits, and the program */
	STEPS
};

/* The two ends of a connection; a dotted quad for whoever comes by IPv4. */
struct client {
	int fd;
	enum step step;
	size_t listener; /* which of the server's */
	deadline came;

	struct net_ip ip; /* the remote end, as text below */
	unsigned scope;   /* of a link-local address, or 0 */
	char local_ip[NET_IP_TEXT];
	unsigned local_port;
	char remote_ip[NET_IP_TEXT];
	unsigned remote_port;
	const char *local_host; /* from the look-up on; NULL: unknown */
	const char *remote_host;
	const char *remote_info;

	bool has_rule;    /* the server's match is this client's */
	int unread_rules; /* errno, when they could not be read */

	/* Of an arrival. */
	deadline until; /* for this step */
	bool late;      /* the deadline has passed: do not wait again */
	bool counted;   /* by the limits */
	struct look_up *look_up;
	struct client *previous;
	struct client *next;
};

/* Begins the client that is connected on `fd`. */
void describe_client(const struct server *, struct client *,
		     const struct sockaddr_storage *remote);

enum whereabouts { WAITS, LEFT };

/* Takes the client as far as it gets without waiting. LEFT: refused, or its
   program runs and is noted as a session; the caller closes the descriptor. */
enum whereabouts serve_client(struct server *, struct client *);

/* Drops it for what the server itself could not do, with errno for cause. */
void drop_client(struct server *, const struct client *, const char *doing);

const char *step_name(enum step);

#endif
