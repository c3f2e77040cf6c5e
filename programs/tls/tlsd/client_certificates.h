/* Certificates that clients show: whose they must be, and whether one is asked
   for at all.
   SPDX-License-Identifier: ISC */
#ifndef TLSD_CLIENT_CERTIFICATES_H
#define TLSD_CLIENT_CERTIFICATES_H

#include <openssl/ssl.h>

#include "settings.h"

/* Reads CAFILE, CADIR, CCAFILE and CRLDIR whole: later, the process may be in
   another root and have no right to. Dies when one cannot be read. */
void client_certificates_load(const struct settings *);

/* The context asks as it was loaded. */
void client_certificates_use(const struct settings *, SSL_CTX *);

#endif
