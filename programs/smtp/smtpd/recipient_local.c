/* SPDX-License-Identifier: ISC */
#include "recipient_local.h"

const char *recipient_local_check(struct session *session)
{
	(void)session;
	return NULL;
}

const char *recipient_local_check_sender(struct session *session)
{
	(void)session;
	return NULL;
}
