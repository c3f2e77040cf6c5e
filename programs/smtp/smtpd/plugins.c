/* SPDX-License-Identifier: ISC */
#include "plugins.h"

void plugins_open(struct session *session)
{
	(void)session;
}

enum plugin_verdict plugins_run(struct session *session,
				enum plugin_phase phase, struct str *text)
{
	(void)session;
	(void)phase;
	(void)text;
	return PLUGINS_GO_ON;
}

void plugins_forget_transaction(struct session *session)
{
	(void)session;
}

void plugins_forget_client(struct session *session)
{
	(void)session;
}
