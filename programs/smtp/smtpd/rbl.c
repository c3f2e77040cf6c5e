/* SPDX-License-Identifier: ISC */
#include "rbl.h"

const char *rbl_check(struct session *session)
{
	(void)session;
	return NULL;
}
