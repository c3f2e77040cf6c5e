/* How a connection that may start TLS gets to tlsd: one message on a
   SOCK_SEQPACKET socket, with five descriptors (SCM_RIGHTS). The sender keeps
   its own copies, and closes those of the network and of tlsd's ends: what
   only tlsd holds then ends with tlsd, so the program sees an end of file
   when tlsd is gone or would not take the session.
   SPDX-License-Identifier: ISC */
#ifndef SYSTEM_HANDOVER_H
#define SYSTEM_HANDOVER_H

#include <stddef.h>
#include <sys/types.h>

/* "[address]:port" with the longest IPv6 text, and some more. */
enum { HANDOVER_CLIENT = 72 };

/* The largest message; for who parses. */
enum { HANDOVER_MESSAGE = 12 + HANDOVER_CLIENT };

/* In the order in which they are sent. */
enum handover_descriptor {
	HANDOVER_NETWORK_IN, /* the connection; both are mostly one socket */
	HANDOVER_NETWORK_OUT,
	HANDOVER_CONTROL,      /* the other end of SSLCTLFD: a stream socket */
	HANDOVER_TO_PROGRAM,   /* write end; the program reads SSLREADFD */
	HANDOVER_FROM_PROGRAM, /* read end; the program writes SSLWRITEFD */
	HANDOVER_DESCRIPTORS
};

enum handover_flag {
	HANDOVER_IMMEDIATE = 1,   /* as if `Y` had come on the control socket */
	HANDOVER_ENVIRONMENT = 2, /* the reply to `Y` has every SSL_ variable */
};

struct handover {
	unsigned flags;
	pid_t program;                /* for the log */
	char client[HANDOVER_CLIENT]; /* "ip:port", for the log */
	int descriptors[HANDOVER_DESCRIPTORS];
};

/* 0, or -1 with errno. The descriptors stay open here. Waits while the
   receiver's queue is full. */
int handover_send(int socket, const struct handover *);

/* 1 and a session, whose descriptors are open and close-on-exec; 0 when all
   senders are gone; -1 with errno: EAGAIN when the socket does not block and
   nothing is there; EPROTO when the message is not one of ours; EMFILE when
   the descriptors found no room here. A message that is not taken is gone, and
   whatever came with it is closed. */
int handover_receive(int socket, struct handover *);

/* The bytes of a message, without the descriptors: 0, or -1 with EPROTO. The
   client's text is made printable. */
int handover_parse(const void *bytes, size_t length, struct handover *);

void handover_close(struct handover *);

#endif
