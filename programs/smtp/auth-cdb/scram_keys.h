/* SCRAM's arithmetic (RFC 5802, section 3): keys of a password, and proofs by
   keys. What is kept for a login proves nothing to it: the client's key is the
   one whose digest is StoredKey.
   SPDX-License-Identifier: ISC */
#ifndef SCRAM_KEYS_H
#define SCRAM_KEYS_H

#include <stdbool.h>

#include "mail/scram.h"

/* The keys, from the password and the secret's salt and iterations. */
void scram_keys_make(struct scram_secret *, const char *password);

/* Is it this password's? For a client that sends the password itself. */
bool scram_keys_are_of(const struct scram_secret *, const char *password);

/* Has the client proved that it has the key? If so, our proof is in `answer`. */
bool scram_keys_are_proved(const struct scram_secret *, struct scram *);

#endif
