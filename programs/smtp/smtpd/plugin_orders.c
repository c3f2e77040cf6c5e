/* SPDX-License-Identifier: ISC */
#include "plugin_orders.h"

#include "base/parse.h"
#include "mail/plugin_answer.h"

enum {
	/* Recipients can come by the thousand, each with a refusal to be. */
	SAID_LIMIT = 4096,
	FIELDS_LIMIT = 65536,
};

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

/* What goes beyond the limit is dropped: one refusal is as good as a hundred. */
static enum plugin_verdict keep_refusal(struct str *kept,
					const struct str *line)
{
	if (kept->length + line->length > SAID_LIMIT) return PLUGINS_GO_ON;
	if (kept->length) str_append_text(kept, "\r\n");
	str_append(kept, line->data, line->length);
	return PLUGINS_GO_ON;
}

static enum plugin_verdict keep_field(struct str *fields,
				      const struct str *line)
{
	if (fields->length + line->length > FIELDS_LIMIT) return PLUGINS_GO_ON;
	str_append(fields, line->data, line->length);
	str_append_byte(fields, '\n');
	return PLUGINS_GO_ON;
}

static enum plugin_verdict change_address(const struct plugin_run *run,
					  const struct str *text)
{
	if (run->phase != PLUGINS_MAIL && run->phase != PLUGINS_RCPT)
		return PLUGINS_GO_ON;
	if (run->phase == PLUGINS_RCPT && text->length == 0)
		return plugin_fail(run->session, run->line,
				   "no recipient is left");
	str_clear(run->address);
	str_append(run->address, text->data, text->length);
	plugin_tell(run->session, run->phase, run->address);
	return PLUGINS_GO_ON;
}

static enum plugin_verdict set_as_told(struct session *session,
				       struct str *variable)
{
	char *value = variable->data;
	const char *name = parse_cut(&value, '=');

	session_export(session, name, value);
	session_read_environment(session);
	return PLUGINS_GO_ON;
}

static enum plugin_verdict unset_as_told(struct session *session,
					 const struct str *name)
{
	session_export(session, name->data, NULL);
	session_read_environment(session);
	return PLUGINS_GO_ON;
}

/* The code is the program's matter, also its enhanced one. */
static enum plugin_verdict print(struct session *session,
				 const struct str *text)
{
	bool without_codes = session->without_codes;

	session->without_codes = true;
	reply(session, text->data);
	session->without_codes = without_codes;
	return PLUGINS_GO_ON;
}

static enum plugin_verdict stop(struct plugins *plugins,
				enum plugin_phase phase)
{
	if (phase == PLUGINS_CONNECTION) plugins->stopped = true;
	else plugins->stopped_until_tls = true;
	return PLUGINS_SKIP;
}

static enum plugin_verdict refuse_command(struct session *session,
					  const struct str *text)
{
	str_append(&session->refusal, text->data, text->length);
	return PLUGINS_REFUSE;
}

static enum plugin_verdict follow(const struct plugin_run *run,
				  enum plugin_order order, struct str *text)
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
	case PLUGIN_NEXT: return PLUGINS_SKIP;
	case PLUGIN_ACCEPT: return PLUGINS_ACCEPT;
	case PLUGIN_REFUSE: return refuse_command(session, text);
	case PLUGIN_HANG_UP: session_give_up(session, text->data);
	case PLUGIN_DROP: session_leave(session);
	case PLUGIN_NOTHING:
	case PLUGIN_BAD:
	default: return plugin_fail(session, run->line, "bad answer");
	}
}

enum plugin_verdict plugin_obey(const struct plugin_run *run,
				const struct helper_answer *answer)
{
	const char *at = answer->output, *end = at + answer->length;
	enum plugin_verdict verdict = PLUGINS_GO_ON;
	enum plugin_order order;
	struct str text = { 0 };

	while (verdict == PLUGINS_GO_ON) {
		order = plugin_answer_next(&at, end, &text);
		if (order == PLUGIN_NOTHING) break;
		verdict = follow(run, order, &text);
	}
	str_free(&text);
	return verdict;
}
