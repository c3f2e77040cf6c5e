/* CRAM-MD5 (RFC 2195): HMAC-MD5 (RFC 2104) whose key has been mixed in when the
   entry was made. For this purpose that is as good as the password, so who has
   stolen an entry can log in by it.
   SPDX-License-Identifier: ISC */
#ifndef CRAM_H
#define CRAM_H

#include <stdbool.h>

#include "mail/auth_entry.h"

void cram_make(struct cram_secret *, const char *password);

bool cram_is_password(const struct cram_secret *, const char *password);

/* Is it the answer to the challenge, in hexadecimal digits? */
bool cram_is_answer(const struct cram_secret *, const char *challenge,
		    const char *answer);

#endif
