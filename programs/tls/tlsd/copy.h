/* The bytes of a TLS session, both ways, until both have ended.
   SPDX-License-Identifier: ISC */
#ifndef TLSD_COPY_H
#define TLSD_COPY_H

#include <openssl/ssl.h>

#include "system/handover.h"

enum copy_end {
	COPY_CLOSED,    /* in order: close_notify from both, or from the client
			   and nobody there to answer */
	COPY_CUT,       /* the client closed without close_notify */
	COPY_PROGRAM,   /* the program is gone; the client has its goodbye */
	COPY_RESET,     /* the network broke */
	COPY_IDLE,      /* nothing moved for too long */
	COPY_BAD_BYTES, /* the client does not speak TLS; OpenSSL says why */
};

/* All descriptors do not block. Closes those of the program as each way ends:
   the program sees an end of file on the one, and gets SIGPIPE on the other. */
enum copy_end copy_session(SSL *, struct handover *,
			   unsigned long idle_seconds);

/* Says that nothing more comes, and throws away what the client still sends
   until it closes as well: a close with unread bytes would be a reset, and
   that can take the last reply away. */
void copy_linger(const struct handover *, unsigned long seconds);

#endif
