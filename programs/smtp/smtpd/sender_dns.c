/* SPDX-License-Identifier: ISC */
#include "sender_dns.h"

const char *sender_dns_check(struct session *session)
{
	(void)session;
	return NULL;
}
