/* What a login changes: the client may relay, and the environment that the policy
   and the queue program see, by AUTH_SET_NAME and AUTH_UNSET_NAME and by what the
   table has for the login.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_AUTH_SETTINGS_H
#define SMTPD_AUTH_SETTINGS_H

#include "session.h"

/* Of the login in session->auth. `variables`: NAME=VALUE, each with a NUL behind
   it. */
void auth_settings_apply(struct session *, const struct str *variables);

/* All as it was before. */
void auth_settings_revoke(struct session *);

#endif
