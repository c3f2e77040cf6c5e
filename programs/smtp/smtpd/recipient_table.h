/* validrcptto.cdb: every address that there is.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_RECIPIENT_TABLE_H
#define SMTPD_RECIPIENT_TABLE_H

#include "session.h"

/* NULL, or the reply that refuses the recipient. Who tries too many strangers
   loses the session. */
const char *recipient_table_check(struct session *);

#endif
