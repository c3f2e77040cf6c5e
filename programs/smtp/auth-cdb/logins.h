/* auth.cdb: what stands for a login, and what is checked instead where nothing
   does, so that nobody learns from the time it takes, or from a challenge, who
   has a login here.
   The surprise: a stranger's name is checked against the entry of a real login,
   always the same one for the same name. One hash for all strangers would tell
   them from those whose hashes are of another kind.
   What is drawn depends on a key that mkauth puts into the table, AUTH_ENTRY_STRANGERS,
   and in a table without one on what the table has.
   SPDX-License-Identifier: ISC */
#ifndef LOGINS_H
#define LOGINS_H

#include <stdbool.h>

#include "digest.h"
#include "mail/auth_entry.h"
#include "system/table.h"

struct logins {
	struct table table;
	struct str path;
	unsigned char key[SHA256_LENGTH]; /* of what is drawn for strangers */
};

/* $AUTH_CDB, or control/auth.cdb. Dies, 111, when it cannot be read; so do the
   others. */
void logins_open(struct logins *);

/* False when there is no such login. */
bool logins_find(struct logins *, const char *login, struct auth_entry *);

/* An entry that is not the login's own, the one that `attempt` draws; its
   settings mean nothing. False when there is none. */
bool logins_draw(struct logins *, const char *login, unsigned attempt,
		 struct auth_entry *);

/* What to challenge a stranger with, always the same. */
void logins_invent_scram(struct logins *, const char *login,
			 struct scram_secret *);

#endif
