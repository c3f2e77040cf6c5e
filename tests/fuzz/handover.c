/* A message that hands a session over: what is taken has known flags, a pid
   that is none of a group, and text that is fit for a log.
   SPDX-License-Identifier: ISC */
#include "system/handover.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	/* A copy of exactly that size, so that a read behind it is seen. */
	uint8_t *message = calloc(1, length ? length : 1);
	struct handover session;

	if (!message) return 0;
	if (length) memcpy(message, bytes, length);
	memset(&session, 0xff, sizeof session);
	if (handover_parse(message, length, &session) == 0) {
		const unsigned all = HANDOVER_IMMEDIATE | HANDOVER_ENVIRONMENT;

		if (length > HANDOVER_MESSAGE) __builtin_trap();
		if (session.flags & ~all) __builtin_trap();
		if (session.program < 0) __builtin_trap();
		if (!memchr(session.client, '\0', sizeof session.client))
			__builtin_trap();
		for (const char *at = session.client; *at; at++)
			if (*at < 32 || *at > 126) __builtin_trap();
	}
	free(message);
	return 0;
}
