/* The domains of control/rcpthosts and control/morercpthosts.cdb: those that we
   take mail for.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_RECIPIENT_HOSTS_H
#define SMTPD_RECIPIENT_HOSTS_H

#include <stdbool.h>

#include "session.h"

/* A damaged table ends the session. */
bool recipient_host_is_listed(struct session *, const char *domain);

#endif
