/* OpenSSL looks its algorithms up, and prepares its keys, when they are first
   used. A process that lives for one handshake would do all that, each time;
   so the keeper has spoken TLS with itself before it forks the first one.
   SPDX-License-Identifier: ISC */
#ifndef TLSD_WARM_UP_H
#define TLSD_WARM_UP_H

#include <openssl/ssl.h>

/* Handshakes of both versions and with both kinds of keys, in memory. What
   fails (a kind of key that is not there) was not to be warmed. */
void warm_up(SSL_CTX *);

#endif
