/* validrcptto.cdb: every address that there is, as mkvalidrcptto(8) makes it. A
   key is an address in lower case, NAME-default@DOMAIN for all names that begin
   with NAME-, or @DOMAIN for all names of the domain; data that begin with a dash
   say that there is no such address after all.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_RECIPIENT_TABLE_H
#define SMTPD_RECIPIENT_TABLE_H

#include <stdbool.h>

#include "session.h"
#include "system/table.h"

/* At the start: VALIDRCPTTO_CDB that cannot be had ends the session. */
void recipient_table_open(struct session *);

/* NULL, or the reply that refuses the recipient. Who tries too many strangers
   loses the session. */
const char *recipient_table_check(struct session *);

/* Whether the table at `path` has the address: TABLE_FAILED when it cannot be
   read, which has been logged. The table stays open for the next question. */
enum table_answer recipient_table_find(struct session *, const char *path,
				       const char *address);

/* postmaster, without a domain: mail to it must always be taken (RFC 5321
   section 4.5.1). */
bool recipient_is_bare_postmaster(const char *address);

#endif
