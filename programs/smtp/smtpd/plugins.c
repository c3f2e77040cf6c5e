/* SPDX-License-Identifier: ISC */
#include "plugins.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/exit_codes.h"
#include "log.h"
#include "mail/control.h"
#include "mail/plugin_answer.h"
#include "recipient_hosts.h"
#include "replies.h"
#include "session.h"
#include "system/deadline.h"
#include "system/helper.h"

enum {
	WORDS_LIMIT = 32,
	/* What a program that cannot be run exits with, in qmail-spp. */
	CANNOT_EXECUTE = 120,
	/* Recipients can come by the thousand, each with a refusal to be. */
	SAID_LIMIT = 4096,
	FIELDS_LIMIT = 65536,
	/* The client, its name, the transaction. */
	SCOPES = 3,
};

/* A section's name is told by its first letter, as in qmail-spp. */
static const char sections[PLUGINS_PHASES] = {
	[PLUGINS_CONNECTION] = 'c', [PLUGINS_HELO] = 'h', [PLUGINS_MAIL] = 'm',
	[PLUGINS_RCPT] = 'r',       [PLUGINS_DATA] = 'd', [PLUGINS_AUTH] = 'a',
};
static const char other_auth_section = 'p';

/* Of the transaction. */
static const char *const transaction_variables[] = {
	"SMTPMAILFROM",     "SMTPRCPTTO",      "SMTPRCPTCOUNT",
	"SMTPRCPTCOUNTALL", "SMTPRCPTHOSTSOK",
};

/* ---- the file ---- */

static struct str *find_section(struct plugins *plugins, const char *line)
{
	char letter = line[1] == other_auth_section ? sections[PLUGINS_AUTH]
						    : line[1];

	for (size_t i = 0; i < PLUGINS_PHASES; i++)
		if (letter == sections[i]) return &plugins->programs[i];
	return NULL;
}

static void sort_lines(struct plugins *plugins, const struct str *lines)
{
	struct str *section = NULL;
	size_t length;

	for (size_t at = 0; at < lines->length; at += length + 1) {
		const char *line = lines->data + at;

		length = strlen(line);
		if (*line == '[') section = find_section(plugins, line);
		else if (section) str_append(section, line, length + 1);
	}
}

/* A relative path is one under the home, as in qmail. */
static void append_path(struct str *path, const char *setting)
{
	if (!setting) {
		str_append_text(path, "smtpplugins");
		return;
	}
	if (*setting != '/') str_append_text(path, CHAINMAIL_HOME "/");
	str_append_text(path, setting);
}

void plugins_open(struct session *session)
{
	struct str path = { 0 }, lines = { 0 };

	if (session->settings.no_plugins) session->settings.plugins = false;
	if (!session->settings.plugins) return;
	append_path(&path, session->settings.plugins_file);
	errno = 0;
	if (control_read_list(path.data, &lines) != CONTROL_FOUND) {
		control_path(&lines, path.data);
		log_unreadable(lines.data);
		session_give_up(session, REPLY_NO_CONTROLS);
	}
	sort_lines(&session->plugins, &lines);
	str_free(&lines);
	str_free(&path);
}

/* ---- variables ---- */

static void set(struct session *session, const char *name, const char *value)
{
	if (setenv(name, value, 1) < 0)
		session_give_up(session, REPLY_NO_MEMORY);
}

static void set_number(struct session *session, const char *name, size_t number)
{
	struct str text = { 0 };

	str_append_number(&text, number);
	set(session, name, text.data);
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

	set(session, "SMTPRCPTTO", address->data);
	set_number(session, "SMTPRCPTCOUNT", transaction->recipient_count);
	set_number(session, "SMTPRCPTCOUNTALL", transaction->recipients_tried);
	set(session, "SMTPRCPTHOSTSOK",
	    recipient_is_ours(session, address->data) ? "1" : "0");
}

/* They stay, as in qmail-spp: programs of later commands, and the queue program,
   see what has been said before. */
static void set_variables(struct session *session, enum plugin_phase phase,
			  const struct str *text)
{
	switch (phase) {
	case PLUGINS_HELO: set(session, "SMTPHELOHOST", text->data); break;
	case PLUGINS_MAIL: set(session, "SMTPMAILFROM", text->data); break;
	case PLUGINS_RCPT: set_recipient(session, text); break;
	case PLUGINS_CONNECTION:
	case PLUGINS_DATA:
	case PLUGINS_AUTH:
	case PLUGINS_PHASES:
	default: break;
	}
}

/* What points into the environment does so anew. RELAYCLIENT does nothing here: a
   program that sets it for a filter must not make a relay. */
static void read_environment(struct session *session)
{
	session->client = connection_from_environment();
	settings_read_policy(&session->settings);
}

/* ---- what is kept ---- */

static void forget(struct plugins_said *said)
{
	str_clear(&said->of_mail);
	str_clear(&said->of_rcpt);
	str_clear(&said->of_data);
	str_clear(&said->fields);
}

static void free_said(struct plugins_said *said)
{
	str_free(&said->of_mail);
	str_free(&said->of_rcpt);
	str_free(&said->of_data);
	str_free(&said->fields);
}

static struct plugins_said *said_in(struct plugins *plugins,
				    enum plugin_phase phase)
{
	switch (phase) {
	case PLUGINS_CONNECTION:
	case PLUGINS_AUTH: return &plugins->of_client;
	case PLUGINS_HELO: return &plugins->of_helo;
	case PLUGINS_MAIL:
	case PLUGINS_RCPT:
	case PLUGINS_DATA:
	case PLUGINS_PHASES:
	default: return &plugins->of_transaction;
	}
}

/* Lines of a reply: the code is that of the last one, which alone has no '-'. */
static void join_lines(struct str *reply)
{
	char *last = reply->data + reply->length;

	while (last > reply->data && last[-1] != '\n') last--;
	for (char *line = reply->data; line < last;
	     line = strchr(line, '\n') + 1) {
		memcpy(line, last, 3);
		line[3] = '-';
	}
}

static const struct str *said_of(const struct plugins_said *said,
				 enum plugin_phase phase)
{
	static const struct str nothing = { .length = 0 };

	if (phase == PLUGINS_MAIL) return &said->of_mail;
	if (phase == PLUGINS_RCPT) return &said->of_rcpt;
	if (phase == PLUGINS_DATA) return &said->of_data;
	return &nothing;
}

/* Before this command; the reply is made of all that was said. */
static bool was_refused(struct session *session, enum plugin_phase phase)
{
	const struct plugins *plugins = &session->plugins;
	const struct plugins_said *all[SCOPES] = { &plugins->of_client,
						   &plugins->of_helo,
						   &plugins->of_transaction };
	struct str *reply = &session->refusal;

	for (size_t i = 0; i < SCOPES; i++) {
		const struct str *said = said_of(all[i], phase);

		if (said->length == 0) continue;
		if (reply->length) str_append_text(reply, "\r\n");
		str_append(reply, said->data, said->length);
	}
	if (reply->length == 0) return false;
	join_lines(reply);
	return true;
}

/* ---- one program ---- */

enum outcome { GO_ON, NO_MORE, ACCEPTED, REFUSED };

static enum outcome fail(struct session *session, const char *line,
			 const char *why)
{
	char shown[PLUGIN_REPLY_LIMIT / 2];
	struct str *reply = &session->refusal;

	printable_text(shown, sizeof shown, line);
	str_clear(reply);
	str_append_text(reply, REPLY_PLUGIN_FAILURE);
	str_append_text(reply, shown);
	str_append_text(reply, ": ");
	str_append_text(reply, why);
	log_plugin_failure(line, why);
	str_append_text(reply, REPLY_PLUGIN_FAILURE_END);
	return REFUSED;
}

/* What goes beyond the limit is dropped: one refusal is as good as a hundred. */
static enum outcome keep_refusal(struct str *kept, const struct str *line)
{
	if (kept->length + line->length > SAID_LIMIT) return GO_ON;
	if (kept->length) str_append_text(kept, "\r\n");
	str_append(kept, line->data, line->length);
	return GO_ON;
}

static enum outcome keep_field(struct str *fields, const struct str *line)
{
	if (fields->length + line->length > FIELDS_LIMIT) return GO_ON;
	str_append(fields, line->data, line->length);
	str_append_byte(fields, '\n');
	return GO_ON;
}

/* A program at work. */
struct run {
	struct session *session;
	enum plugin_phase phase;
	struct str *address; /* or name; or NULL */
	const char *line;    /* of the file */
	/* One for all that a command runs: the client waits for them together. */
	deadline end;
};

static unsigned long seconds_left(deadline end)
{
	return ((unsigned long)deadline_left(end) + 999) / 1000;
}

static enum outcome change_address(const struct run *run,
				   const struct str *text)
{
	if (run->phase != PLUGINS_MAIL && run->phase != PLUGINS_RCPT)
		return GO_ON;
	if (run->phase == PLUGINS_RCPT && text->length == 0)
		return fail(run->session, run->line, "no recipient is left");
	str_clear(run->address);
	str_append(run->address, text->data, text->length);
	set_variables(run->session, run->phase, run->address);
	return GO_ON;
}

static enum outcome set_as_told(struct session *session, struct str *variable)
{
	char *equals = strchr(variable->data, '=');

	*equals = '\0';
	set(session, variable->data, equals + 1);
	read_environment(session);
	return GO_ON;
}

static enum outcome unset_as_told(struct session *session,
				  const struct str *name)
{
	unsetenv(name->data);
	read_environment(session);
	return GO_ON;
}

/* The code is the program's matter, also its enhanced one. */
static enum outcome print(struct session *session, const struct str *text)
{
	bool without_codes = session->without_codes;

	session->without_codes = true;
	reply(session, text->data);
	session->without_codes = without_codes;
	return GO_ON;
}

static enum outcome stop(struct plugins *plugins, enum plugin_phase phase)
{
	if (phase == PLUGINS_CONNECTION) plugins->stopped = true;
	else plugins->stopped_until_tls = true;
	return NO_MORE;
}

static enum outcome refuse_command(struct session *session,
				   const struct str *text)
{
	str_append(&session->refusal, text->data, text->length);
	return REFUSED;
}

static enum outcome follow(const struct run *run, enum plugin_order order,
			   struct str *text)
{
	struct session *session = run->session;
	struct plugins_said *said = said_in(&session->plugins, run->phase);

	switch (order) {
	case PLUGIN_ADD_FIELD: return keep_field(&said->fields, text);
	case PLUGIN_CHANGE_ADDRESS: return change_address(run, text);
	case PLUGIN_SET: return set_as_told(session, text);
	case PLUGIN_UNSET: return unset_as_told(session, text);
	case PLUGIN_PRINT: return print(session, text);
	case PLUGIN_REFUSE_MAIL: return keep_refusal(&said->of_mail, text);
	case PLUGIN_REFUSE_RCPT: return keep_refusal(&said->of_rcpt, text);
	case PLUGIN_REFUSE_DATA: return keep_refusal(&said->of_data, text);
	case PLUGIN_STOP_ALL: return stop(&session->plugins, run->phase);
	case PLUGIN_NEXT: return NO_MORE;
	case PLUGIN_ACCEPT: return ACCEPTED;
	case PLUGIN_REFUSE: return refuse_command(session, text);
	case PLUGIN_HANG_UP: session_give_up(session, text->data);
	case PLUGIN_DROP: session_leave(session);
	case PLUGIN_NOTHING:
	case PLUGIN_BAD:
	default: return fail(session, run->line, "bad answer");
	}
}

static enum outcome follow_all(const struct run *run,
			       const struct helper_answer *answer)
{
	const char *at = answer->output, *end = at + answer->length;
	enum outcome outcome = GO_ON;
	enum plugin_order order;
	struct str text = { 0 };

	while (outcome == GO_ON) {
		order = plugin_answer_next(&at, end, &text);
		if (order == PLUGIN_NOTHING) break;
		outcome = follow(run, order, &text);
	}
	str_free(&text);
	return outcome;
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
static bool ask(const struct run *run, struct helper_answer *answer)
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

static enum outcome run_one(const struct run *run)
{
	struct session *session = run->session;
	struct helper_answer answer = {
		.output = session->plugin_answer,
		.size = sizeof session->plugin_answer,
	};

	if (seconds_left(run->end) == 0)
		return fail(session, run->line, "too late");
	if (!ask(run, &answer))
		return fail(session, run->line, "can't execute");
	switch (answer.ending) {
	case HELPER_CRASHED: return fail(session, run->line, "child crashed");
	case HELPER_TIMED_OUT: return fail(session, run->line, "too late");
	case HELPER_LOST: return fail(session, run->line, "child is lost");
	case HELPER_EXITED:
	default: break;
	}
	if (answer.exit_code == CANNOT_EXECUTE)
		return fail(session, run->line, "can't execute");
	return follow_all(run, &answer);
}

/* ---- all of a command ---- */

static bool have_stopped(const struct plugins *plugins)
{
	return plugins->stopped || plugins->stopped_until_tls;
}

static enum outcome run_all(struct session *session, enum plugin_phase phase,
			    struct str *text)
{
	const struct str *programs = &session->plugins.programs[phase];
	struct run run = { session, phase, text, NULL, DEADLINE_NEVER };
	enum outcome outcome = GO_ON;

	if (programs->length == 0) return outcome;
	/* The replies so far need not wait for them. */
	session_flush(session);
	run.end = deadline_in(session->settings.helper_timeout);
	for (size_t at = 0; at < programs->length && outcome == GO_ON;
	     at += strlen(run.line) + 1) {
		if (have_stopped(&session->plugins)) break;
		run.line = programs->data + at;
		outcome = run_one(&run);
	}
	return outcome;
}

/* What was said of the name before holds until another one is accepted. */
static enum outcome run_for_name(struct session *session, struct str *name)
{
	struct plugins_said *said = &session->plugins.of_helo, before = *said;
	enum outcome outcome;

	*said = (struct plugins_said){ .of_mail = { 0 } };
	outcome = run_all(session, PLUGINS_HELO, name);
	if (outcome == REFUSED) {
		free_said(said);
		*said = before;
	} else {
		free_said(&before);
	}
	return outcome;
}

static void add_fields(struct session *session)
{
	const struct plugins *plugins = &session->plugins;
	struct str *fields = &session->transaction.headers_below;
	const struct str *all[SCOPES] = { &plugins->of_client.fields,
					  &plugins->of_helo.fields,
					  &plugins->of_transaction.fields };

	for (size_t i = 0; i < SCOPES; i++)
		str_append(fields, all[i]->data, all[i]->length);
}

enum plugin_verdict plugins_run(struct session *session,
				enum plugin_phase phase, struct str *text)
{
	enum outcome outcome;

	if (!session->settings.plugins) return PLUGINS_GO_ON;
	str_clear(&session->refusal);
	set_variables(session, phase, text);
	if (was_refused(session, phase)) return PLUGINS_REFUSE;
	outcome = phase == PLUGINS_HELO ? run_for_name(session, text)
					: run_all(session, phase, text);
	if (outcome == REFUSED) return PLUGINS_REFUSE;
	if (phase == PLUGINS_DATA) add_fields(session);
	return outcome == ACCEPTED ? PLUGINS_ACCEPT : PLUGINS_GO_ON;
}

void plugins_forget_transaction(struct session *session)
{
	if (!session->settings.plugins) return;
	forget(&session->plugins.of_transaction);
	for (size_t i = 0;
	     i < sizeof transaction_variables / sizeof *transaction_variables;
	     i++)
		unsetenv(transaction_variables[i]);
}

void plugins_forget_words(struct session *session)
{
	if (!session->settings.plugins) return;
	session->plugins.stopped_until_tls = false;
	forget(&session->plugins.of_helo);
	unsetenv("SMTPHELOHOST");
}

void plugins_forget_client(struct session *session)
{
	if (!session->settings.plugins) return;
	session->plugins.stopped = false;
	forget(&session->plugins.of_client);
	plugins_forget_words(session);
}
