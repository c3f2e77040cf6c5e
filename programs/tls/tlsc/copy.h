/* Copying between a connection's TLS and its plain text.
   SPDX-License-Identifier: ISC */
#ifndef TLSC_COPY_H
#define TLSC_COPY_H

#include <openssl/ssl.h>

#include "settings.h"

/* Until both ways have ended. When the program's has, the server has a while to
   end its own. */
void copy_both_ways(SSL *, const struct settings *);

#endif
