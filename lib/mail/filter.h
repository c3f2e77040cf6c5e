/* What the content filters of the chain have in common, so that a filter's own
   file holds only its own idea: options and variables, a domain's own settings
   (mail/simcontrol.h), changes to the header (mail/header_edit.h), what happens
   when the scanner is away, the quarantine, a line in the log in simscan's form,
   and going on.

       static enum queue_exit_code scan(struct filter *);

       filter_start(&filter, "CLAMD_SOCKET", "/var/run/clamav/clamd.ctl");
       while ((letter = option_next(argc, argv, FILTER_LETTERS, synopsis)) != -1)
               filter_option(&filter, letter, synopsis);
       filter.next = argv + optind;
       code = filter_take(&filter);
       if (code == QUEUE_DONE) code = scan(&filter);

   Option letters are in a library here, against the rule: five programs must not
   differ in what -t means.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_FILTER_H
#define MAIL_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/exit_codes.h"
#include "mail/header_edit.h"
#include "mail/simcontrol.h"
#include "mail/stage.h"
#include "system/deadline.h"

/* -s SOCKET or HOST:PORT, -t SECONDS, -m BYTES, -o, -x, -q DIR */
#define FILTER_LETTERS "s:t:m:oxq:"
#define FILTER_SYNOPSIS                                                        \
	"[ -ox ] [ -s socket ] [ -t seconds ] [ -m bytes ] [ -q folder ]"

enum { FILTER_SECONDS = 60 };

struct filter {
	const char *socket;    /* -s; NULL: the program has none */
	unsigned long seconds; /* -t, for the whole answer */
	unsigned long limit; /* -m: longer ones are not scanned; 0: no limit */
	bool passes_unscanned;  /* -o: when the scanner is away */
	const char *quarantine; /* -q; NULL: none */
	char **next;            /* the next stage's command line */

	struct stage stage;
	struct simcontrol control; /* of sender and recipients */
	struct header_edit header; /* see filter_take_header */
	deadline end;              /* `seconds` from filter_take's end */

	struct timespec start;
	unsigned long debug;      /* $SIMSCAN_DEBUG */
	unsigned long keep_files; /* $SIMSCAN_DEBUG_FILES */
};

/* The defaults and the environment's settings. `variable` names that of the
   socket; it and the usual socket are NULL when there is none. A variable that
   makes no sense ends the process, 55, as filter_option does with 100. */
void filter_start(struct filter *, const char *variable,
		  const char *usual_socket);

/* A letter of FILTER_LETTERS (from option_next); false: it is another one. */
bool filter_option(struct filter *, int letter, const char *synopsis);

/* One of our own users ($RELAYCLIENT), whose mail is not asked about spam;
   qmail-scanner's QS_SPAMASSASSIN="on" has it asked all the same. */
bool filter_trusts_client(void);

/* Takes message and envelope, and looks up the domains' settings. QUEUE_DONE, or
   what to exit with; that has been logged where it deserves it. */
enum queue_exit_code filter_take(struct filter *);

/* Takes in the header, for filters that change it: as it is when the message is let
   pass, so it goes on. QUEUE_DONE, or what to exit with: a message whose header is
   too long to be held is refused, since fields that a chain relies on to be removed
   would stay. */
enum queue_exit_code filter_take_header(struct filter *);

/* Longer than -m allows. */
bool filter_is_too_long(const struct filter *);

/* The ends. Each returns what main returns, after a line in the log:

       PROGRAM:[PPID]:STATE:SECONDSs:DETAIL:IP:FROM:TO[,TO...]:PID

   PPID is that of the SMTP server, PID the qp of its reply. `detail` (NULL: "-")
   may be bytes from outside. */

/* On to the next stage. */
enum queue_exit_code filter_pass(struct filter *, const char *state,
				 const char *detail);

/* The same for a message that has not been looked at, with a field on top:
   "X-Filter-Skipped: PROGRAM (REASON)". */
enum queue_exit_code filter_pass_unscanned(struct filter *, const char *reason);

/* Never: into the quarantine, and `text` (D…) to the client. */
enum queue_exit_code filter_refuse(struct filter *, const char *state,
				   const char *detail, const char *text);

/* Not now: `text` is Z…. */
enum queue_exit_code filter_defer(struct filter *, const char *state,
				  const char *detail, const char *text);

/* Accepted and thrown away, but for the quarantine. */
enum queue_exit_code filter_drop(struct filter *, const char *state,
				 const char *detail);

/* The scanner cannot say: -o lets the message pass, -x gives the code. The
   reason may be bytes from outside. */
enum queue_exit_code filter_no_verdict(struct filter *,
				       enum queue_exit_code code,
				       const char *reason);

/* No memory, no disk, a bad setting: whatever -o says. */
enum queue_exit_code filter_fail(struct filter *, enum queue_exit_code code,
				 const char *reason);

/* A line of its own, "PROGRAM:[PPID]: …", when $SIMSCAN_DEBUG is at least the
   level: 1 for decisions, 2 for settings and daemons, 3 for comparisons, 4 for
   the envelope. */
void filter_debug(const struct filter *, unsigned long level,
		  const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
