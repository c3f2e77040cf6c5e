/* One TLS session, from its first byte to its end, in a process that does
   nothing else: whatever the client sends, only this session can suffer.
   SPDX-License-Identifier: ISC */
#ifndef TLSD_SESSION_H
#define TLSD_SESSION_H

#include <openssl/ssl.h>

#include "settings.h"
#include "system/handover.h"

/* What the program sent (UCSPI-TLS): it wants to hear nothing, or how it went
   and the environment. */
enum session_command { SESSION_START = 'y', SESSION_START_AND_TELL = 'Y' };

/* Closes every descriptor that is not the session's, does the session, ends
   the process: 0 when there was TLS, 111 when there was none. */
_Noreturn void session_run(const struct settings *, SSL_CTX *,
			   struct handover *, enum session_command);

#endif
