/* Session tickets (RFC 5077, RFC 8446 section 4.6.1): a session is resumed by
   a process that never saw it, so all of them need the same keys, and none is
   asked for a new one: each key is made from the one before, by hashing, as
   often as the clock says. Whoever began with the same seed comes to the same
   keys, across keepers and reloads. A ticket can be read with the key that is
   current and with the one before it; older keys can be made by nobody.
   SPDX-License-Identifier: ISC */
#ifndef TLSD_TICKETS_H
#define TLSD_TICKETS_H

#include <openssl/ssl.h>
#include <time.h>

enum { TICKET_NAME = 16, TICKET_SECRET = 32 };

struct ticket_key {
	unsigned char name[TICKET_NAME]; /* which key it is; public */
	unsigned char cipher[TICKET_SECRET];
	unsigned char mac[TICKET_SECRET];
};

struct tickets {
	unsigned long seconds; /* each key is current for so long */
	time_t since;          /* when the current one began to be */
	unsigned char seed[TICKET_SECRET];
	struct ticket_key current;
	struct ticket_key previous;
};

/* A new seed. 0 seconds: no tickets. -1 without randomness. */
int tickets_begin(struct tickets *, unsigned long seconds);

/* Brings the keys to where the clock is. */
void tickets_rotate(struct tickets *);

/* For a process that lives for one session: it cannot make later keys. */
void tickets_freeze(struct tickets *);

/* The context reads and writes tickets with these keys, which must stay. */
void tickets_use(struct tickets *, SSL_CTX *);

#endif
