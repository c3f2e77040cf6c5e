/* SPDX-License-Identifier: ISC */
#include "xclient.h"

#include "replies.h"

void xclient_announce(struct session *session)
{
	(void)session;
}

void xclient_run(struct session *session, const char *argument)
{
	(void)argument;
	refuse(session, REPLY_UNIMPLEMENTED);
}
