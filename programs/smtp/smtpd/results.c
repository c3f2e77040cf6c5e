/* SPDX-License-Identifier: ISC */
#include "results.h"

#include <string.h>

#include "inquiry.h"
#include "log.h"
#include "mail/auth_results.h"
#include "session.h"

enum {
	NAME_SECONDS = 10,
	ANSWER_ROOM = 512,
	/* SMTP_IPREV's number: $TCPREMOTEHOST is there only when it has been
	   confirmed, as from tcpserver -p. */
	HOST_IS_CONFIRMED = 2,
};

const char *results_id(struct session *session)
{
	const struct settings *settings = &session->settings;
	char *id = session->results.id;
	const char *name = settings->me.data;
	size_t length;

	if (*id) return id;
	/* Without control/me, what begins the greeting is the name. */
	if (!name || !*name) name = settings->greeting.data;
	length = strcspn(name, " \t");
	if (length > RESULTS_ID) length = RESULTS_ID;
	memcpy(id, name, length);
	return id;
}

/* By spfcheck's exit code, and the word beside it: another program of that name
   may exit so, too. */
static const char *read_result(const struct helper_answer *answer)
{
	static const char *const words[] = {
		[0] = "pass",
		[1] = "fail",
		[4] = "permerror",
		[5] = "temperror",
	};
	size_t code = (size_t)answer->exit_code, length;

	if (answer->ending == HELPER_EXITED &&
	    code < sizeof words / sizeof *words && words[code]) {
		length = strlen(words[code]);
		if (strncmp(answer->output, words[code], length) == 0 &&
		    answer->output[length] == '\n')
			return words[code];
	}
	log_helper_failure("spfcheck", answer);
	return "temperror";
}

static const char *ask_for_name(struct session *session)
{
	char seconds[INQUIRY_SECONDS], output[ANSWER_ROOM];
	struct helper_answer answer = {
		.output = output,
		.size = sizeof output,
	};
	const char *const arguments[] = {
		"spfcheck", "-r",
		"-t",       inquiry_seconds(session, NAME_SECONDS, seconds),
		"--",       session->client.remote_ip,
		NULL,
	};
	struct helper helper;

	if (!inquiry_start(session, &helper, arguments, NULL))
		return "temperror";
	helper_finish(&helper, &answer);
	return read_result(&answer);
}

static const char *client_name(struct session *session)
{
	struct results *results = &session->results;

	if (results->client_name) return results->client_name;
	if (session->settings.client_name >= HOST_IS_CONFIRMED &&
	    session->client.remote_host)
		results->client_name = "pass";
	else results->client_name = ask_for_name(session);
	return results->client_name;
}

/* "smtp.mailfrom=example.org" */
static void append_spf(struct auth_results *field,
		       const struct transaction *transaction)
{
	const char *identity = transaction->spf_identity.data;
	const char *equals;
	struct str name = { 0 };

	auth_results_add(field, "spf", transaction->spf_result.data);
	equals = strchr(identity, '=');
	if (!equals) return;
	str_append(&name, identity, (size_t)(equals - identity));
	auth_results_property(field, name.data, equals + 1);
	str_free(&name);
}

void results_append(struct str *fields, struct session *session)
{
	const struct transaction *transaction = &session->transaction;
	struct auth_results field = { .may_be_utf8 = transaction->utf8 };

	auth_results_begin(&field, fields, results_id(session));
	if (transaction->spf_result.length > 0) append_spf(&field, transaction);
	if (session->settings.client_name && session->client.remote_ip) {
		auth_results_add(&field, "iprev", client_name(session));
		auth_results_property(&field, "policy.iprev",
				      session->client.remote_ip);
	}
	if (session->auth.done) {
		auth_results_add(&field, "auth", "pass");
		auth_results_property(&field, "smtp.auth",
				      session->auth.login.data);
	}
	auth_results_end(&field);
}
