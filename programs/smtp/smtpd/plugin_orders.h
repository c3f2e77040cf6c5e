/* What the lines of a plugin's answer (mail/plugin_answer.h) do to the session.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_PLUGIN_ORDERS_H
#define SMTPD_PLUGIN_ORDERS_H

#include "plugin_program.h"
#include "system/helper.h"

/* Obeys one after the other, up to one that ends the command, or the session. */
enum plugin_verdict plugin_obey(const struct plugin_run *,
				const struct helper_answer *);

#endif
