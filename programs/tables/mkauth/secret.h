/* The table's secret, by which auth-cdb tells strangers what it does (see
   mail/auth_entry.h). It is taken over from the old table: strangers would notice
   if they, but no others, were told something else.
   SPDX-License-Identifier: ISC */
#ifndef SECRET_H
#define SECRET_H

#include "system/record_list.h"

/* To the logins, if there are any, for the table that is to be at `path`. Who has
   mkauth write elsewhere first, as cdb-refresh does, says in CDB_REFRESH_TABLE
   where the old one is. */
void add_secret(struct record_list *logins, const char *path);

#endif
