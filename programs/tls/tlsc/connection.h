/* A connection's TLS, from the client's side.
   SPDX-License-Identifier: ISC */
#ifndef TLSC_CONNECTION_H
#define TLSC_CONNECTION_H

#include <openssl/ssl.h>

#include "base/str.h"
#include "settings.h"

/* After the handshake; the network's descriptors do not block any more. NULL, and
   why: text for the log, without bytes of the server's. */
SSL *connection_start(const struct settings *, const char **trouble);

/* "TLSv1.3 TLS_AES_256_GCM_SHA384" */
void connection_describe(const SSL *, struct str *);

#endif
