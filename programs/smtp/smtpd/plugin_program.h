/* One plugin at work: what it is told, how it is run, and what it means that it
   could not be.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_PLUGIN_PROGRAM_H
#define SMTPD_PLUGIN_PROGRAM_H

#include "plugins.h"
#include "session.h"
#include "system/deadline.h"

struct plugin_run {
	struct session *session;
	enum plugin_phase phase;
	struct str *address; /* or name; or NULL */
	const char *line;    /* of the file */
	/* One for all that a command runs: the client waits for them together. */
	deadline end;
};

/* Variables of the environment for what the client has said; the second takes
   those of the transaction back. */
void plugin_tell(struct session *, enum plugin_phase, const struct str *text);
void plugin_tell_no_more(void);

enum plugin_verdict plugin_run_program(const struct plugin_run *);

/* PLUGINS_REFUSE, and the log has the line and why. */
enum plugin_verdict plugin_fail(struct session *, const char *line,
				const char *why);

#endif
