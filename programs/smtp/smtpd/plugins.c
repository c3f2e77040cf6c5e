/* SPDX-License-Identifier: ISC */
#include "plugins.h"

#include <errno.h>
#include <string.h>

#include "log.h"
#include "mail/control.h"
#include "plugin_program.h"
#include "replies.h"
#include "session.h"

/* The client, its name, the transaction. */
enum { SCOPES = 3 };

/* A section's name is told by its first letter, as in qmail-spp. */
static const char sections[PLUGINS_PHASES] = {
	[PLUGINS_CONNECTION] = 'c', [PLUGINS_HELO] = 'h', [PLUGINS_MAIL] = 'm',
	[PLUGINS_RCPT] = 'r',       [PLUGINS_DATA] = 'd', [PLUGINS_AUTH] = 'a',
};
static const char other_auth_section = 'p';

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

/* ---- what they have said ---- */

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

/* ---- all of a command ---- */

static bool have_stopped(const struct plugins *plugins)
{
	return plugins->stopped || plugins->stopped_until_tls;
}

static enum plugin_verdict run_all(struct session *session,
				   enum plugin_phase phase, struct str *text)
{
	const struct str *programs = &session->plugins.programs[phase];
	struct plugin_run run = {
		.session = session,
		.phase = phase,
		.address = text,
	};
	enum plugin_verdict verdict = PLUGINS_GO_ON;

	if (programs->length == 0) return verdict;
	/* The replies so far need not wait for them. */
	session_flush(session);
	run.end = deadline_in(session->settings.helper_timeout);
	for (size_t at = 0; at < programs->length && verdict == PLUGINS_GO_ON;
	     at += strlen(run.line) + 1) {
		if (have_stopped(&session->plugins)) break;
		run.line = programs->data + at;
		verdict = plugin_run_program(&run);
	}
	return verdict;
}

/* What was said of the name before holds until another one is accepted. */
static enum plugin_verdict run_for_name(struct session *session,
					struct str *name)
{
	struct plugins_said *said = &session->plugins.of_helo, before = *said;
	enum plugin_verdict verdict;

	*said = (struct plugins_said){ .of_mail = { 0 } };
	verdict = run_all(session, PLUGINS_HELO, name);
	if (verdict == PLUGINS_REFUSE) {
		free_said(said);
		*said = before;
	} else {
		free_said(&before);
	}
	return verdict;
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
	enum plugin_verdict verdict;

	if (!session->settings.plugins) return PLUGINS_GO_ON;
	str_clear(&session->refusal);
	plugin_tell(session, phase, text);
	if (was_refused(session, phase)) return PLUGINS_REFUSE;
	verdict = phase == PLUGINS_HELO ? run_for_name(session, text)
					: run_all(session, phase, text);
	if (verdict == PLUGINS_REFUSE) return PLUGINS_REFUSE;
	if (phase == PLUGINS_DATA) add_fields(session);
	return verdict == PLUGINS_ACCEPT ? PLUGINS_ACCEPT : PLUGINS_GO_ON;
}

void plugins_forget_transaction(struct session *session)
{
	if (!session->settings.plugins) return;
	forget(&session->plugins.of_transaction);
	plugin_tell_no_more();
}

void plugins_forget_words(struct session *session)
{
	if (!session->settings.plugins) return;
	session->plugins.stopped_until_tls = false;
	forget(&session->plugins.of_helo);
	session_export(session, "SMTPHELOHOST", NULL);
}

void plugins_forget_client(struct session *session)
{
	if (!session->settings.plugins) return;
	session->plugins.stopped = false;
	forget(&session->plugins.of_client);
	plugins_forget_words(session);
}
