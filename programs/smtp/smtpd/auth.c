/* SPDX-License-Identifier: ISC */
#include "auth.h"

#include "replies.h"
#include "session.h"

void auth_prepare(struct session *session, int argc, char **argv)
{
	(void)session;
	(void)argc;
	(void)argv;
}

void auth_announce(struct session *session)
{
	(void)session;
}

void auth_run(struct session *session, const char *argument)
{
	(void)argument;
	refuse(session, REPLY_UNIMPLEMENTED);
}

const char *auth_is_there(struct session *session)
{
	(void)session;
	return NULL;
}

void auth_forget(struct session *session)
{
	session->auth.done = false;
}
