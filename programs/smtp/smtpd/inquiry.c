/* SPDX-License-Identifier: ISC */
#include "inquiry.h"

#include <stdio.h>

#include "log.h"
#include "session.h"

bool inquiry_start(struct session *session, struct helper *helper,
		   const char *const *arguments, const char *const *variables)
{
	const struct helper_plan plan = {
		.arguments = arguments,
		.variables = variables,
		.output_fd = 1,
		.seconds = session->settings.helper_timeout,
	};

	/* The replies so far need not wait for it. */
	session_flush(session);
	if (helper_start(helper, &plan) == 0) return true;
	log_helper_failure(arguments[0], NULL);
	return false;
}

const char *inquiry_seconds(const struct session *session, unsigned long usual,
			    char text[INQUIRY_SECONDS])
{
	unsigned long most = session->settings.helper_timeout / 2;

	if (usual > most) usual = most > 0 ? most : 1;
	snprintf(text, INQUIRY_SECONDS, "%lu", usual);
	return text;
}
