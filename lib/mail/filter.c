/* SPDX-License-Identifier: ISC */
#include "mail/filter.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"
#include "base/options.h"
#include "base/parse.h"
#include "mail/quarantine.h"
#include "system/clock.h"

#define REPLY_HEADER "DYour email's header is too long (#5.6.0)"

enum {
	SECONDS_MOST = 86400,
	LOGGED_DETAIL = 200,
	LOGGED_ADDRESS = 320,
	LOGGED_RECIPIENTS = 1000,
};

/* ---- settings ---- */

static _Noreturn void die_of_variable(const char *name)
{
	note("fatal: $%s makes no sense", name);
	exit(QUEUE_CANNOT_READ_SETTINGS);
}

static void read_number(const char *name, unsigned long minimum,
			unsigned long maximum, unsigned long *number)
{
	const char *text = getenv(name);

	if (text && *text && parse_number(text, minimum, maximum, number) < 0)
		die_of_variable(name);
}

static void read_text(const char *name, const char **text)
{
	const char *found = name ? getenv(name) : NULL;

	if (found && *found) *text = found;
}

void filter_start(struct filter *filter, const char *variable,
		  const char *usual_socket)
{
	const char *policy = NULL;

	stage_start();
	clock_read(CLOCK_MONOTONIC, &filter->start);
	filter->socket = usual_socket;
	if (!filter->seconds) filter->seconds = FILTER_SECONDS;
	read_text(variable, &filter->socket);
	read_text("FILTER_QUARANTINE", &filter->quarantine);
	read_text("FILTER_FAIL", &policy);
	if (policy && strcmp(policy, "open") != 0 &&
	    strcmp(policy, "closed") != 0)
		die_of_variable("FILTER_FAIL");
	filter->passes_unscanned = policy && strcmp(policy, "open") == 0;
	read_number("FILTER_TIMEOUT", 1, SECONDS_MOST, &filter->seconds);
	read_number("FILTER_MAXSIZE", 0, LONG_MAX, &filter->limit);
	/* Old run scripts hold these with any value. */
	parse_leading_number(getenv("SIMSCAN_DEBUG"), &filter->debug);
	parse_leading_number(getenv("SIMSCAN_DEBUG_FILES"),
			     &filter->keep_files);
}

bool filter_option(struct filter *filter, int letter, const char *synopsis)
{
	switch (letter) {
	case 's': filter->socket = optarg; return true;
	case 't':
		filter->seconds =
			option_number(letter, 1, SECONDS_MOST, synopsis);
		return true;
	case 'm':
		filter->limit = option_number(letter, 0, LONG_MAX, synopsis);
		return true;
	case 'o': filter->passes_unscanned = true; return true;
	case 'x': filter->passes_unscanned = false; return true;
	case 'q': filter->quarantine = *optarg ? optarg : NULL; return true;
	default: return false;
	}
}

bool filter_trusts_client(void)
{
	const char *forced = getenv("QS_SPAMASSASSIN");

	return getenv("RELAYCLIENT") && !(forced && strcmp(forced, "on") == 0);
}

/* ---- the log ---- */

static void append_shown(struct str *line, const char *text, size_t most)
{
	for (size_t i = 0; text[i]; i++) {
		char byte = text[i];

		if (i == most) {
			str_append_text(line, "...");
			return;
		}
		if (byte == ':') byte = '_';
		str_append_byte(line, byte >= ' ' && byte <= '~' ? byte : '?');
	}
}

static void append_recipients(struct str *line, const struct envelope *envelope)
{
	const char *recipient = NULL;
	size_t end = line->length + LOGGED_RECIPIENTS;
	bool is_first = true;

	while ((recipient = envelope_next(envelope, recipient))) {
		if (!is_first) str_append_byte(line, ',');
		is_first = false;
		if (line->length > end) {
			str_append_text(line, "...");
			return;
		}
		append_shown(line, recipient, LOGGED_ADDRESS);
	}
}

/* "PROGRAM:[PPID]:" */
static void begin_line(struct str *line)
{
	str_append_text(line, program_name);
	str_append_text(line, ":[");
	str_append_number(line, (unsigned long)getppid());
	str_append_text(line, "]:");
}

static void write_line(struct str *line)
{
	str_append_byte(line, '\n');
	/* A log that cannot be written is no reason to stop mail. */
	if (write(STDERR_FILENO, line->data, line->length) < 0) errno = 0;
	str_free(line);
}

static void append_elapsed(struct str *line, const struct timespec *start)
{
	struct timespec now;
	long long passed;
	char text[32];

	clock_read(CLOCK_MONOTONIC, &now);
	passed = (now.tv_sec - start->tv_sec) * 1000000000LL +
		 (now.tv_nsec - start->tv_nsec);
	snprintf(text, sizeof text, ":%lld.%04llds:", passed / 1000000000,
		 passed % 1000000000 / 100000);
	str_append_text(line, text);
}

static void log_end(const struct filter *filter, const char *state,
		    const char *detail)
{
	const char *ip = getenv("TCPREMOTEIP");
	struct str line = { 0 };

	begin_line(&line);
	str_append_text(&line, state);
	append_elapsed(&line, &filter->start);
	append_shown(&line, detail && *detail ? detail : "-", LOGGED_DETAIL);
	str_append_byte(&line, ':');
	/* An address of IPv6 has colons of its own. */
	str_append_text(&line, ip && strchr(ip, ':') ? "[" : "");
	str_append_printable(&line, ip ? ip : "", ip ? strnlen(ip, 64) : 0);
	str_append_text(&line, ip && strchr(ip, ':') ? "]:" : ":");
	append_shown(&line, filter->stage.envelope.sender, LOGGED_ADDRESS);
	str_append_byte(&line, ':');
	append_recipients(&line, &filter->stage.envelope);
	str_append_byte(&line, ':');
	str_append_number(&line, (unsigned long)getpid());
	write_line(&line);
}

void filter_debug(const struct filter *filter, unsigned long level,
		  const char *format, ...)
{
	struct str line = { 0 };
	char text[MESSAGE_LIMIT / 2], shown[sizeof text];
	va_list arguments;

	if (filter->debug < level) return;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	begin_line(&line);
	str_append_byte(&line, ' ');
	str_append_text(&line, printable_text(shown, sizeof shown, text));
	write_line(&line);
}

static void debug_settings(const struct filter *filter)
{
	static const char *const words[] = { "unset", "no", "yes" };
	const struct simcontrol *control = &filter->control;

	filter_debug(filter, 2, "socket %s seconds %lu limit %lu %s",
		     filter->socket ? filter->socket : "-", filter->seconds,
		     filter->limit,
		     filter->passes_unscanned ? "open" : "closed");
	if (!control->has_table) {
		filter_debug(filter, 2, "no simcontrol.cdb");
		return;
	}
	filter_debug(filter, 2,
		     "simcontrol: clam=%s spam=%s spam_passthru=%s "
		     "qmailqueue=%s spamuser=%s",
		     words[control->clam], words[control->spam],
		     words[control->spam_passthru],
		     control->qmailqueue ? control->qmailqueue : "",
		     control->spamuser ? control->spamuser : "");
}

/* A line for each address: a message may have thousands of them. */
static void debug_envelope(const struct filter *filter)
{
	const struct envelope *envelope = &filter->stage.envelope;
	const char *recipient = NULL;

	if (filter->debug < 4) return;
	filter_debug(filter, 4, "from <%s>", envelope->sender);
	while ((recipient = envelope_next(envelope, recipient)))
		filter_debug(filter, 4, "to <%s>", recipient);
}

/* ---- keeping a copy ---- */

/* What is refused stays with its sender, so a full quarantine stops nothing. */
static int quarantine(const struct filter *filter, const char *state,
		      const char *detail)
{
	if (!filter->quarantine) return 0;
	if (quarantine_keep(&filter->stage, filter->quarantine, state,
			    detail) == 0)
		return 0;
	warn("cannot write into the quarantine %s:", filter->quarantine);
	return -1;
}

/* As simscan's patch: level 1 is for what is not accepted, 2 for everything. */
static void keep_for_debugging(const struct filter *filter, unsigned long level,
			       const char *state, const char *detail)
{
	const char *folder = getenv("TMPDIR");

	if (filter->keep_files < level) return;
	if (filter->quarantine) folder = filter->quarantine;
	if (!folder || !*folder) folder = "/tmp";
	if (quarantine_keep(&filter->stage, folder, state, detail) < 0)
		warn("cannot keep a copy in %s:", folder);
}

/* ---- the work ---- */

enum queue_exit_code filter_take(struct filter *filter)
{
	struct stage *stage = &filter->stage;
	enum queue_exit_code code = stage_take(stage);

	if (code != QUEUE_DONE) return code;
	filter->end = deadline_in(filter->seconds);
	if (simcontrol_find(&filter->control, &stage->envelope) < 0) {
		note("fatal: cannot read simcontrol.cdb: %s",
		     error_text(errno));
		return QUEUE_CANNOT_READ_SETTINGS;
	}
	filter_debug(filter, 1, "starting: bytes %zu recipients %zu",
		     stage->message.size, stage->envelope.recipient_count);
	debug_settings(filter);
	debug_envelope(filter);
	return QUEUE_DONE;
}

enum queue_exit_code filter_take_header(struct filter *filter)
{
	switch (header_edit_take(&filter->header, &filter->stage.message)) {
	case HEADER_EDIT_READY: break;
	case HEADER_EDIT_TOO_LONG:
		return filter_refuse(filter, "HEADER", NULL, REPLY_HEADER);
	case HEADER_EDIT_FAILED:
		return filter_fail(filter, QUEUE_CANNOT_READ,
				   "cannot read the message");
	}
	return QUEUE_DONE;
}

/* What has been changed, with a field on top unless that is NULL. */
static int write_header(struct filter *filter, const struct str *field)
{
	struct stage_message *message = &filter->stage.message;
	struct header_edit *header = &filter->header;
	size_t cut;

	if (header_edit_finish(header, &cut) &&
	    stage_message_replace_top(message, cut, &header->text) < 0)
		return -1;
	return field ? stage_message_replace_top(message, 0, field) : 0;
}

bool filter_is_too_long(const struct filter *filter)
{
	return filter->limit && filter->stage.message.size > filter->limit;
}

/* One word, or none: an end's own arguments cannot be told from another stage.
   A filter may stand alone, too, in front of the usual end, and is none. */
static bool is_end(char **next)
{
	const char *slash, *name;

	if (!next[0]) return true;
	slash = strrchr(next[0], '/');
	name = slash ? slash + 1 : next[0];
	return !next[1] && strncmp(name, "filter-", strlen("filter-")) != 0 &&
	       strcmp(name, "qmail-qfilter") != 0;
}

/* The domain's own queue program takes the place of the last one of the chain,
   which only the stage before it knows. */
static enum queue_exit_code go_on(struct filter *filter)
{
	char *own[] = { NULL, NULL };
	char **next = filter->next;

	if (filter->control.qmailqueue && is_end(next)) {
		own[0] = strdup(filter->control.qmailqueue);
		if (!own[0]) str_die_of_memory();
		next = own;
	}
	return stage_exec_next(&filter->stage, next);
}

static enum queue_exit_code cannot_store(struct filter *filter)
{
	return filter_fail(filter, QUEUE_CANNOT_WRITE,
			   "cannot store the message");
}

enum queue_exit_code filter_pass(struct filter *filter, const char *state,
				 const char *detail)
{
	if (write_header(filter, NULL) < 0) return cannot_store(filter);
	log_end(filter, state, detail);
	keep_for_debugging(filter, 2, state, detail);
	return go_on(filter);
}

enum queue_exit_code filter_pass_unscanned(struct filter *filter,
					   const char *reason)
{
	struct str field = { 0 };

	str_append_text(&field, "X-Filter-Skipped: ");
	str_append_text(&field, program_name);
	str_append_text(&field, " (");
	append_shown(&field, reason, LOGGED_DETAIL);
	str_append_text(&field, ")\n");
	if (write_header(filter, &field) < 0) return cannot_store(filter);
	log_end(filter, "UNSCANNED", reason);
	keep_for_debugging(filter, 1, "UNSCANNED", reason);
	return go_on(filter);
}

enum queue_exit_code filter_refuse(struct filter *filter, const char *state,
				   const char *detail, const char *text)
{
	log_end(filter, state, detail);
	quarantine(filter, state, detail);
	keep_for_debugging(filter, 1, state, detail);
	return stage_refuse(text);
}

enum queue_exit_code filter_defer(struct filter *filter, const char *state,
				  const char *detail, const char *text)
{
	log_end(filter, state, detail);
	keep_for_debugging(filter, 1, state, detail);
	return stage_refuse(text);
}

enum queue_exit_code filter_drop(struct filter *filter, const char *state,
				 const char *detail)
{
	log_end(filter, state, detail);
	if (quarantine(filter, state, detail) < 0) return QUEUE_CANNOT_WRITE;
	keep_for_debugging(filter, 2, state, detail);
	return QUEUE_DONE;
}

enum queue_exit_code filter_no_verdict(struct filter *filter,
				       enum queue_exit_code code,
				       const char *reason)
{
	if (filter->passes_unscanned)
		return filter_pass_unscanned(filter, reason);
	return filter_fail(filter, code, reason);
}

enum queue_exit_code filter_fail(struct filter *filter,
				 enum queue_exit_code code, const char *reason)
{
	log_end(filter, "ERROR", reason);
	keep_for_debugging(filter, 1, "ERROR", reason);
	return code;
}
