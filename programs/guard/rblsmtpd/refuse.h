/* Refusing the client: the line in the log, and the conversation.
   SPDX-License-Identifier: ISC */
#ifndef RBLSMTPD_REFUSE_H
#define RBLSMTPD_REFUSE_H

#include <stdbool.h>

#include "client.h"
#include "settings.h"

/* A reply's code and text: "451 TEXT". */
enum { REFUSE_REPLY = sizeof "451 " + DNS_LIST_TEXT };

void refuse_reply(char reply[REFUSE_REPLY], bool permanent, const char *text);

_Noreturn void refuse_client(const struct settings *, const struct client *,
			     const char *reply);

#endif
