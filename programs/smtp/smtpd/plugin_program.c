/* SPDX-License-Identifier: ISC */
#include "plugin_program.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "log.h"
#include "mail/plugin_answer.h"
#include "plugin_orders.h"
#include "recipient_hosts.h"
#include "replies.h"
#include "system/helper.h"

enum {
	WORDS_LIMIT = 32,
	/* What a program that cannot be run exits with, in qmail-spp. */
	CANNOT_EXECUTE = 120,
};

/* ---- what it is told ---- */

static const char *const transaction_variables[] = {
	"SMTPMAILFROM",     "SMTPRCPTTO",      "SMTPRCPTCOUNT",
	"SMTPRCPTCOUNTALL", "SMTPRCPTHOSTSOK",
};

static void set_number(struct session *session, const char *name, size_t number)
{
	struct str text = { 0 };

	str_append_number(&text, number);
	session_export(session, name, text.data);
	str_free(&text);
}

static bool recipient_is_ours(struct session *session, const char *address)
{
	const char *domain = strrchr(address, '@');

	switch (session->settings.relaying) {
	case RELAY_THIS_CLIENT:
	case RELAY_EVERYTHING: return true;
	case RELAY_NOTHING: return !domain;
	case RELAY_LISTED:
	default:
		return !domain || recipient_host_is_listed(session, domain + 1);
	}
}

static void set_recipient(struct session *session, const struct str *address)
{
	const struct transaction *transaction = &session->transaction;

	session_export(session, "SMTPRCPTTO", address->data);
	set_number(session, "SMTPRCPTCOUNT", transaction->recipient_count);
	set_number(session, "SMTPRCPTCOUNTALL", transaction->recipients_tried);
	session_export(session, "SMTPRCPTHOSTSOK",
		       recipient_is_ours(session, address->data) ? "1" : "0");
}

/* They stay, as in qmail-spp: programs of later commands, and the queue program,
   see what has been said before. */
void plugin_tell(struct session *session, enum plugin_phase phase,
		 const struct str *text)
{
	switch (phase) {
	case PLUGINS_HELO:
		session_export(session, "SMTPHELOHOST", text->data);
		break;
	case PLUGINS_MAIL:
		session_export(session, "SMTPMAILFROM", text->data);
		break;
	case PLUGINS_RCPT: set_recipient(session, text); break;
	case PLUGINS_CONNECTION:
	case PLUGINS_DATA:
	case PLUGINS_AUTH:
	case PLUGINS_PHASES:
	default: break;
	}
}

void plugin_tell_no_more(void)
{
	for (size_t i = 0;
	     i < sizeof transaction_variables / sizeof *transaction_variables;
	     i++)
		unsetenv(transaction_variables[i]);
}

/* ---- running it ---- */

enum plugin_verdict plugin_fail(struct session *session, const char *line,
				const char *why)
{
	char shown[SMTP_REPLY_LIMIT / 2];
	struct str *reply = &session->refusal;

	printable_text(shown, sizeof shown, line);
	str_clear(reply);
	str_append_text(reply, REPLY_PLUGIN_FAILURE);
	str_append_text(reply, shown);
	str_append_text(reply, ": ");
	str_append_text(reply, why);
	log_plugin_failure(line, why);
	str_append_text(reply, REPLY_PLUGIN_FAILURE_END);
	return PLUGINS_REFUSE;
}

static unsigned long seconds_left(deadline end)
{
	int milliseconds = deadline_left(end);

	/* Of a time that never ends. */
	if (milliseconds < 0) return INT_MAX;
	return ((unsigned long)milliseconds + 999) / 1000;
}

/* Words between blanks; who needs more of a shell has a line that begins with a
   colon. */
static void split(char *line, const char *words[WORDS_LIMIT + 1])
{
	size_t count = 0;

	if (*line == ':') {
		words[count++] = "/bin/sh";
		words[count++] = "-c";
		words[count++] = line + 1;
		words[count] = NULL;
		return;
	}
	line += strspn(line, " \t");
	while (*line && count < WORDS_LIMIT) {
		words[count++] = line;
		line += strcspn(line, " \t");
		if (*line) *line++ = '\0';
		line += strspn(line, " \t");
	}
	words[count] = NULL;
}

/* False: it cannot be run. */
static bool ask(const struct plugin_run *run, struct helper_answer *answer)
{
	struct session *session = run->session;
	struct str line = { 0 }, user = { 0 }, method = { 0 };
	const char *words[WORDS_LIMIT + 1];
	const char *variables[] = { NULL, NULL, NULL };
	struct helper helper;
	struct helper_plan plan = {
		.arguments = words,
		.variables = variables,
		.output_fd = 1,
		.seconds = seconds_left(run->end),
	};
	bool has_started;

	str_append_text(&line, run->line);
	split(line.data, words);
	if (run->phase == PLUGINS_AUTH) {
		str_append_text(&user, "SMTPAUTHUSER=");
		str_append_text(&user, session->auth.login.data);
		str_append_text(&method, "SMTPAUTHMETHOD=");
		str_append_text(&method, session->auth.mechanism);
		variables[0] = user.data;
		variables[1] = method.data;
	}
	has_started = words[0] && helper_start(&helper, &plan) == 0;
	if (has_started) helper_finish(&helper, answer);
	str_free(&method);
	str_free(&user);
	str_free(&line);
	return has_started;
}

enum plugin_verdict plugin_run_program(const struct plugin_run *run)
{
	struct session *session = run->session;
	struct helper_answer answer = {
		.output = session->plugin_answer,
		.size = sizeof session->plugin_answer,
	};

	if (seconds_left(run->end) == 0)
		return plugin_fail(session, run->line, "too late");
	if (!ask(run, &answer))
		return plugin_fail(session, run->line, "can't execute");
	switch (answer.ending) {
	case HELPER_CRASHED:
		return plugin_fail(session, run->line, "child crashed");
	case HELPER_TIMED_OUT:
		return plugin_fail(session, run->line, "too late");
	case HELPER_LOST:
		return plugin_fail(session, run->line, "child is lost");
	case HELPER_EXITED:
	default: break;
	}
	if (answer.exit_code == CANNOT_EXECUTE)
		return plugin_fail(session, run->line, "can't execute");
	return plugin_obey(run, &answer);
}
