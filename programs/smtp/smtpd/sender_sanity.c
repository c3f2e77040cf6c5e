/* SPDX-License-Identifier: ISC */
#include "sender_sanity.h"

const char *sender_sanity_check(struct session *session)
{
	(void)session;
	return NULL;
}
