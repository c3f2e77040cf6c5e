/* SPDX-License-Identifier: ISC */
#include "auth_checker.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "log.h"
#include "mail/sasl.h"
#include "mail/scram.h"
#include "replies.h"
#include "system/deadline.h"

enum {
	REQUEST_FD = 3,
	/* A checkpassword program reads no more. */
	REQUEST_LIMIT = 512,
	EXIT_REFUSED = 1, /* auth-cdb's */
	/* What a message of ours repeats of the client's, and as much again. */
	MESSAGE_ROOM = 2 * SCRAM_MESSAGE_LIMIT,
};

/* The log's words for what auth-cdb says. */
static const struct {
	const char *reason;
	const char *event;
} refusals[] = {
	{ "unknown user", "AUTH failed (unknown user)" },
	{ "bad password", "AUTH failed (bad password)" },
	{ "password expired", "AUTH failed (password expired)" },
};
static const char refusal[] = "AUTH failed";
static const char malformed[] = "malformed answer";

static const char *const table_checker[] = { "auth-cdb", "-p", NULL };
static const char *const scram_checker[] = { "auth-cdb", "-p", "-s", NULL };

/* ---- asking ---- */

static enum auth_verdict give_up(struct auth_attempt *attempt,
				 const char *reply)
{
	attempt->reply = reply;
	return AUTH_UNFINISHED;
}

static enum auth_verdict turn_down(struct auth_attempt *attempt,
				   const char *event)
{
	attempt->event = event;
	return AUTH_REFUSED;
}

static const char *checker_name(const struct session *session)
{
	return session->auth.backend == AUTH_BY_TABLE ? *table_checker
						      : *session->auth.checker;
}

static int start(struct session *session, struct auth_attempt *attempt,
		 struct helper *helper, const struct helper_plan *plan)
{
	/* What has been replied to earlier commands need not wait for it. */
	session_flush(session);
	attempt->is_asked = true;
	if (helper_start(helper, plan) == 0) return 0;
	attempt->reply = errno == EMFILE || errno == ENFILE
				 ? REPLY_AUTH_NO_PIPE
				 : REPLY_AUTH_NO_START;
	log_helper_failure(checker_name(session), NULL);
	return -1;
}

/* -1: more than a checker would read. The memory does not move. */
static int make_request(struct str *request, const char *const fields[3])
{
	str_reserve(request, REQUEST_LIMIT);
	for (size_t i = 0; i < 3; i++) {
		size_t length = strlen(fields[i]) + 1;

		if (length > REQUEST_LIMIT - request->length) return -1;
		str_append(request, fields[i], length);
	}
	return 0;
}

/* ---- the verdict ---- */

/* 111 is a checkpassword program's word for trouble; any other number but 0 is no
   to the login. */
static bool has_judged(const struct helper_answer *answer)
{
	return answer->ending == HELPER_EXITED &&
	       answer->exit_code != EXIT_TRY_AGAIN;
}

static enum auth_verdict read_refusal(struct auth_attempt *attempt,
				      const char *reason)
{
	if (strcmp(reason, malformed) == 0)
		return give_up(attempt, REPLY_AUTH_MALFORMED);
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
		if (strcmp(reason, refusals[i].reason) == 0)
			return turn_down(attempt, refusals[i].event);
	return turn_down(attempt, refusal);
}

/* The variables of a login that is good, or why it is not. They must be whole. */
static enum auth_verdict finish_table(struct auth_attempt *attempt,
				      struct helper *helper)
{
	struct str *variables = &attempt->variables;
	struct helper_answer answer = { .size = HELPER_OUTPUT_LIMIT };

	str_reserve(variables, answer.size);
	answer.output = variables->data;
	helper_finish(helper, &answer);
	variables->length = answer.length;
	if (has_judged(&answer)) {
		if (answer.exit_code == EXIT_REFUSED)
			return read_refusal(attempt, variables->data);
		if (answer.exit_code == 0 && answer.length > 0 &&
		    variables->data[answer.length - 1] == '\0')
			return AUTH_ACCEPTED;
	}
	log_helper_failure(*table_checker, &answer);
	return give_up(attempt, REPLY_AUTH_CHILD);
}

static enum auth_verdict finish_checker(struct session *session,
					struct auth_attempt *attempt,
					struct helper *helper)
{
	struct helper_answer answer = { .size = 0 };

	helper_finish(helper, &answer);
	if (has_judged(&answer))
		return answer.exit_code == 0 ? AUTH_ACCEPTED
					     : turn_down(attempt, refusal);
	log_helper_failure(checker_name(session), &answer);
	return give_up(attempt, REPLY_AUTH_CHILD);
}

static enum auth_verdict ask(struct session *session,
			     struct auth_attempt *attempt,
			     const struct str *request)
{
	bool by_table = session->auth.backend == AUTH_BY_TABLE;
	struct helper_plan plan = {
		.arguments =
			by_table ? table_checker
				 : (const char *const *)session->auth.checker,
		.input_fd = REQUEST_FD,
		.input = request->data,
		.input_length = request->length,
		.output_fd = by_table ? STDOUT_FILENO : 0,
		.seconds = session->settings.helper_timeout,
	};
	struct helper helper;

	if (start(session, attempt, &helper, &plan) < 0) return AUTH_UNFINISHED;
	return by_table ? finish_table(attempt, &helper)
			: finish_checker(session, attempt, &helper);
}

enum auth_verdict auth_check(struct session *session,
			     struct auth_attempt *attempt, const char *password,
			     const char *challenge)
{
	bool swaps = *challenge && session->settings.auth_challenge_first;
	const char *const fields[] = {
		attempt->login.data,
		swaps ? challenge : password,
		swaps ? password : challenge,
	};
	struct str request = { 0 };
	enum auth_verdict verdict = make_request(&request, fields) == 0
					    ? ask(session, attempt, &request)
					    : turn_down(attempt, refusal);

	sasl_wipe(&request);
	return verdict;
}

/* ---- SCRAM ---- */

int auth_exchange_begin(struct session *session, struct auth_attempt *attempt,
			struct auth_exchange *exchange)
{
	const struct helper_plan plan = {
		.arguments = scram_checker,
		.output_fd = STDOUT_FILENO,
		.talk_fd = REQUEST_FD,
		.seconds = session->settings.helper_timeout,
	};

	return start(session, attempt, &exchange->helper, &plan);
}

/* It fits into a socket that has nothing in it. */
static int send_message(const struct auth_exchange *exchange,
			const struct str *message)
{
	size_t length = message->length + 1;

	return send(exchange->helper.talk, message->data, length,
		    MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)length
		       ? 0
		       : -1;
}

/* Up to a NUL. */
static int receive_message(struct auth_exchange *exchange)
{
	const struct helper *helper = &exchange->helper;
	struct str *message = &exchange->message;
	ssize_t n;

	str_clear(message);
	str_reserve(message, MESSAGE_ROOM);
	while (message->length < MESSAGE_ROOM) {
		char *at = message->data + message->length;

		if (deadline_wait(helper->talk, POLLIN, helper->end) <= 0)
			return -1;
		n = read(helper->talk, at, MESSAGE_ROOM - message->length);
		if (n < 0 && errno == EINTR) continue;
		if (n <= 0) return -1;
		message->length += (size_t)n;
		if (at[n - 1] != '\0') continue;
		message->length--;
		return strlen(message->data) == message->length ? 0 : -1;
	}
	return -1;
}

int auth_exchange_pass(struct auth_exchange *exchange,
		       const struct str *message)
{
	if (send_message(exchange, message) < 0) return -1;
	return receive_message(exchange);
}

enum auth_verdict auth_exchange_end(struct auth_attempt *attempt,
				    struct auth_exchange *exchange)
{
	return finish_table(attempt, &exchange->helper);
}
