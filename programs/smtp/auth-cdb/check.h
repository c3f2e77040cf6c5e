/* Is it so, what somebody says about a login? By a password or by the answer to a
   challenge, or in a conversation of SCRAM-SHA-256.
   SPDX-License-Identifier: ISC */
#ifndef CHECK_H
#define CHECK_H

#include "logins.h"
#include "request.h"
#include "verdict.h"

/* Both leave in `entry` what stands for the login, if it is known. */
enum verdict check_request(struct logins *, const struct request *,
			   struct auth_entry *);

/* `scram` has the login, or NULL, and what the client that is accepted is still
   to be told. */
enum verdict check_by_scram(struct logins *, struct scram *,
			    struct auth_entry *);

#endif
