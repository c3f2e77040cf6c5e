/* qmail-qfilter: one stage of the chain that runs filters of the old kind, each
   of them to its end: the message on descriptor 0, a new one, if any, to descriptor
   1, the envelope on 3 and a new one to 4. Then it execs what a filter has named on
   descriptor 5, the command line behind "-- --", or $QQF_QMAILQUEUE, or
   qmail-queue. It never looks at $QMAILQUEUE, which leads to itself. A filter's exit code
   other than 0 is the answer, but for 99: that takes the message and throws it
   away.
   SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* The filters' words, each filter's ended by a NULL, and the next stage's. */
struct words {
	char **filters;
	char **filters_end;
	char **next; /* NULL: it is named in another way */
};

/* There are no options: the first word is a filter's name. A filter without a
   word ends them, which in the original is an error. */
static struct words read_words(char **argv)
{
	struct words words = { .filters = argv };
	char **start = argv;

	for (; *argv; argv++) {
		if (strcmp(*argv, "--") != 0) continue;
		if (argv == start) {
			words.next = argv + 1;
			break;
		}
		*argv = NULL;
		start = argv + 1;
	}
	words.filters_end = argv;
	return words;
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

static int run_filters(struct run *run, const struct words *words)
{
	char **argv = words->filters;
	int code = QUEUE_DONE;

	run_describe(run);
	while (code == QUEUE_DONE && argv < words->filters_end) {
		code = run_filter(run, argv, environ);
		while (*argv) argv++;
		argv++;
	}
	if (code == QUEUE_DONE && run->dialect->has_control_file)
		code = control_run_filters(run);
	return code;
}

static int go_on(struct run *run, const struct words *words)
{
	char *path[] = { getenv("QQF_QMAILQUEUE"), NULL };
	char **next = words->next;
	struct str named = { 0 };

	if (path[0] && !*path[0]) path[0] = NULL;
	if (!next || !*next) next = path;
	if (run_queue_name(run, &named)) {
		path[0] = named.data;
		next = path;
	}
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
	struct words words;
	unsigned long seconds;
	int code;

	(void)argc;
	program_name = "qmail-qfilter";
	words = read_words(argv + 1);
	seconds = read_seconds();
	run.dialect = read_dialect();
	stage_start();
	code = (int)stage_take(&run.stage);
	if (code == QUEUE_BAD_ENVELOPE) return (int)run.dialect->bad_envelope;
	if (code != QUEUE_DONE) return code;
	run.end = deadline_in(seconds);
	code = run_filters(&run, &words);
	if (code == FILTER_DISCARDS) return QUEUE_DONE;
	return code == QUEUE_DONE ? go_on(&run, &words) : code;
}
