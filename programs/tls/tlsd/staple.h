/* OCSP stapling (RFC 6066 section 8): a file with the CA's signed word that the
   certificate is not revoked, as `openssl ocsp -respout` writes it. Somebody
   else fetches it, and sends SIGHUP.
   SPDX-License-Identifier: ISC */
#ifndef TLSD_STAPLE_H
#define TLSD_STAPLE_H

#include <openssl/ssl.h>

/* Clients that ask get the file's bytes, until the time that they are good for.
   A file that is missing, no OCSP response, or too old is worth a warning, and
   nothing is stapled: without it, TLS works for nearly every client. */
void staple_use(SSL_CTX *, const char *path);

#endif
