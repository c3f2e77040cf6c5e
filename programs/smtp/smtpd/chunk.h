/* BDAT (RFC 3030): a message in pieces of announced length.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_CHUNK_H
#define SMTPD_CHUNK_H

#include "session.h"

void chunk_run(struct session *, const char *argument);

#endif
