/* What tlsd speaks, and as whom: TLS versions, cipher lists, certificates with
   their keys, one SSL_CTX for each name that has a certificate of its own.
   SPDX-License-Identifier: ISC */
#ifndef TLSD_CONTEXT_H
#define TLSD_CONTEXT_H

#include <openssl/ssl.h>

#include "settings.h"
#include "tickets.h"

/* The context of sessions whose client names no host, or none that we know;
   it finds the others by the name. Reads every file; dies when one is not as
   it should be, and says which. */
SSL_CTX *context_load(const struct settings *, struct tickets *);

/* The contexts by name, for who must look at each: NULL behind the last. */
SSL_CTX *context_named(size_t index);

#endif
