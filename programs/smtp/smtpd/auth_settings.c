/* SPDX-License-Identifier: ISC */
#include "auth_settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "replies.h"

static const char setting[] = "AUTH_SET_";
static const char unsetting[] = "AUTH_UNSET_";

/* ---- the environment ---- */

/* NAME=VALUE, or NAME alone. */
static void set_variable(struct session *session, const char *variable)
{
	struct str name = { 0 };
	size_t length = strcspn(variable, "=");

	str_append(&name, variable, length);
	session_export(session, name.data,
		       variable[length] ? variable + length + 1 : NULL);
	str_free(&name);
}

/* NAME=VALUE: there is no NAME any more. */
static void unset_variable(const char *variable)
{
	struct str name = { 0 };

	str_append(&name, variable, strcspn(variable, "="));
	unsetenv(name.data);
	str_free(&name);
}

/* libc frees what it has no more use for, so these are copies. */
static void save_environment(struct str *variables)
{
	*variables = (struct str){ 0 };
	for (char **at = environ; *at; at++)
		str_append(variables, *at, strlen(*at) + 1);
}

static void restore_environment(struct session *session)
{
	const struct str *variables = &session->auth.environment;
	size_t length;

	clearenv();
	for (size_t at = 0; at < variables->length; at += length + 1) {
		length = strlen(variables->data + at);
		if (putenv(variables->data + at) != 0)
			session_give_up(session, REPLY_NO_MEMORY);
	}
}

/* ---- a login's ---- */

static bool begins_with(const char *text, const char *beginning)
{
	return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* In the order in which they stand. */
static void follow_orders(struct session *session)
{
	const struct str *variables = &session->auth.environment;
	size_t length;

	for (size_t at = 0; at < variables->length; at += length + 1) {
		const char *variable = variables->data + at;

		length = strlen(variable);
		if (begins_with(variable, setting)) {
			unset_variable(variable);
			set_variable(session, variable + sizeof setting - 1);
		} else if (begins_with(variable, unsetting)) {
			unset_variable(variable);
			unset_variable(variable + sizeof unsetting - 1);
		}
	}
}

static void set_all(struct session *session, const struct str *variables)
{
	size_t length;

	for (size_t at = 0; at < variables->length; at += length + 1) {
		length = strlen(variables->data + at);
		set_variable(session, variables->data + at);
	}
}

/* Nobody else may say who the client is. */
static void set_login(struct session *session)
{
	const struct auth *auth = &session->auth;
	struct str info = { 0 };

	if (session->settings.auth_prepend)
		str_append_text(&info, session->settings.auth_prepend);
	str_append_text(&info, auth->login.data);
	session_export(session, "TCPREMOTEINFO", info.data);
	session_export(session, "SMTP_AUTH_USER", auth->login.data);
	session_export(session, "SMTPAUTHUSER", auth->login.data);
	session_export(session, "SMTPAUTHMETHOD", auth->mechanism);
	str_free(&info);
}

void auth_settings_apply(struct session *session, const struct str *variables)
{
	struct settings *settings = &session->settings;
	struct auth *auth = &session->auth;

	save_environment(&auth->environment);
	auth->relaying = settings->relaying;
	auth->relay_suffix = settings->relay_suffix;
	settings->relaying = RELAY_THIS_CLIENT;
	settings->relay_suffix = "";
	session_export(session, "RELAYCLIENT", "");
	follow_orders(session);
	set_all(session, variables);
	set_login(session);
	session_read_environment(session);
}

void auth_settings_revoke(struct session *session)
{
	if (session->auth.environment.length == 0) return;
	session->settings.relaying = session->auth.relaying;
	session->settings.relay_suffix = session->auth.relay_suffix;
	restore_environment(session);
	/* It is the environment now; an earlier one is no more. */
	str_free(&session->auth.restored);
	session->auth.restored = session->auth.environment;
	session->auth.environment = (struct str){ 0 };
	session_read_environment(session);
}
