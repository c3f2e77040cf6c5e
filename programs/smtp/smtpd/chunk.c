/* SPDX-License-Identifier: ISC */
#include "chunk.h"

#include "replies.h"

void chunk_run(struct session *session, const char *argument)
{
	(void)argument;
	refuse(session, REPLY_UNIMPLEMENTED);
}
