/* qmail-qfilter: one stage of the chain that runs filters of the old kind, each
   of them to its end: the message on descriptor 0, a new one, if any, to descriptor
   1, the envelope on 3 and a new one to 4. Then it execs qmail-queue, or what
   $QQF_QMAILQUEUE or a filter (on descriptor 5) names: a path, which is no command
   line. It never looks at $QMAILQUEUE, which leads to itself. A filter's exit code
   other than 0 is the answer, but for 99: that takes the message and throws it
   away.
   SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/parse.h"
#include "control.h"
#include "dialect.h"
#include "mail/stage.h"
#include "run.h"
#include "system/deadline.h"

/* An SMTP client waits for ten minutes (RFC 5321 section 4.5.3.2.6). */
enum { SECONDS = 300, SECONDS_MOST = 86400 };

static const char synopsis[] =
	"qmail-qfilter filter [ argument ... ] [ -- filter ... ] ...";

/* Ends each filter's words by a NULL. There are no options: the first word is a
   filter's name. */
static void cut_into_filters(char **argv)
{
	for (char **start = argv; *argv; argv++) {
		if (strcmp(*argv, "--") != 0) continue;
		if (argv == start) die_usage(synopsis);
		*argv = NULL;
		start = argv + 1;
	}
}

static unsigned long read_seconds(void)
{
	const char *text = getenv("FILTER_TIMEOUT");
	unsigned long seconds = SECONDS;

	if (text && *text &&
	    parse_number(text, 1, SECONDS_MOST, &seconds) < 0) {
		note("fatal: FILTER_TIMEOUT makes no sense");
		exit(QUEUE_CANNOT_READ_SETTINGS);
	}
	return seconds;
}

static const struct dialect *read_dialect(void)
{
	const struct dialect *dialect = dialect_from_environment();

	if (!dialect) {
		note("fatal: QQF_DIALECT is neither bruceg nor sagredo");
		exit(QUEUE_CANNOT_READ_SETTINGS);
	}
	return dialect;
}

static int run_filters(struct run *run, char **argv, char **end)
{
	int code = QUEUE_DONE;

	run_describe(run);
	while (code == QUEUE_DONE && argv < end) {
		code = run_filter(run, argv);
		while (*argv) argv++;
		argv++;
	}
	if (code == QUEUE_DONE && run->dialect->has_control_file)
		code = control_run_filters(run);
	return code;
}

static int go_on(struct run *run)
{
	char *next[] = { getenv("QQF_QMAILQUEUE"), NULL };
	struct str named = { 0 };

	if (next[0] && !*next[0]) next[0] = NULL;
	if (run_queue_name(run, &named)) next[0] = named.data;
	return (int)stage_exec_next(&run->stage, next);
}

int main(int argc, char **argv)
{
	struct run run = {
		.message = -1,
		.envelope = -1,
		.message_out = -1,
		.envelope_out = -1,
		.queue_name = -1,
		.log = -1,
	};
	unsigned long seconds;
	int code;

	program_name = "qmail-qfilter";
	cut_into_filters(argv + 1);
	seconds = read_seconds();
	run.dialect = read_dialect();
	stage_start();
	code = (int)stage_take(&run.stage);
	if (code == QUEUE_BAD_ENVELOPE) return (int)run.dialect->bad_envelope;
	if (code != QUEUE_DONE) return code;
	run.end = deadline_in(seconds);
	code = run_filters(&run, argv + 1, argv + argc);
	if (code == FILTER_DISCARDS) return QUEUE_DONE;
	return code == QUEUE_DONE ? go_on(&run) : code;
}
