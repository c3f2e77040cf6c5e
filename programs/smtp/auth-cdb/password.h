/* A password, or an answer to a challenge, against an entry; and crypt's hashes.
   SPDX-License-Identifier: ISC */
#ifndef PASSWORD_H
#define PASSWORD_H

#include "mail/auth_entry.h"

enum password_result {
	PASSWORD_MATCHES,
	PASSWORD_DIFFERS,
	PASSWORD_UNCHECKED, /* the entry's hash is of no kind known here */
};

/* `challenge` is "" when there is none. A locked entry differs from everything.
   Dies, 111, where crypt cannot do its work. */
enum password_result password_check(const struct auth_entry *,
				    const char *password,
				    const char *challenge);

/* The same work as for a hash of today, for nothing. */
void password_check_nothing(const char *password);

/* A hash with a new salt, of the method that crypt_gensalt knows by this prefix,
   in memory that stays until the next call. NULL when there is no such method
   here, or not with this cost (0: crypt's own choice). */
const char *password_hash(const char *prefix, unsigned long cost,
			  const char *password);

#endif
