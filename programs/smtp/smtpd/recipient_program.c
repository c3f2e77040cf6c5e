/* SPDX-License-Identifier: ISC */
#include "recipient_program.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "log.h"
#include "mail/address.h"
#include "recipient_hosts.h"
#include "replies.h"
#include "system/helper.h"

enum {
	REPLY_FD = 4,
	TEXT_ROOM = 1022,
	CODE_LENGTH = 3,
};

enum exit_code_of_check {
	CHECK_NEVER = 100,
	CHECK_TRY_AGAIN = 111,
	CHECK_TOO_MUCH = 113, /* the client has sent all that it may */
	CHECK_CANNOT_EXEC = 120,
};

/* ---- asking ---- */

static void append_variable(struct str *variable, const char *name,
			    const char *value)
{
	str_append_text(variable, name);
	if (value) str_append_text(variable, value);
}

/* -1: it cannot be run. */
static int run(struct session *session, const char *program,
	       struct helper_answer *answer)
{
	const char *domain = address_domain(session->address.data);
	bool is_ours = domain && recipient_host_is_listed(session, domain);
	struct str sender = { 0 }, recipient = { 0 }, helo = { 0 };
	struct helper helper;
	int result;

	append_variable(&sender, "SENDER=", session->transaction.sender.data);
	append_variable(&recipient, "RECIPIENT=", session->address.data);
	append_variable(&helo, "HELO=", session->helo.data);
	result = helper_start(
		&helper,
		&(struct helper_plan){
			.arguments = (const char *[]){ program, NULL },
			.variables =
				(const char *[]){
					sender.data, recipient.data, helo.data,
					"USE_FD4=1",
					is_ours ? "RCPTHOSTS=1" : NULL, NULL },
			.output_fd = REPLY_FD,
			.seconds = session->settings.helper_timeout,
		});
	if (result == 0) helper_finish(&helper, answer);
	str_free(&sender);
	str_free(&recipient);
	str_free(&helo);
	return result;
}

/* ---- its text ---- */

static bool ends_line(char byte)
{
	return byte == '\r' || byte == '\n' || byte == '\0';
}

/* Line ends within it would begin replies of their own. */
static void make_one_line(char *text, size_t length)
{
	while (length > 0 && ends_line(text[length - 1])) length--;
	text[length] = '\0';
	for (size_t i = 0; i < length; i++)
		if (ends_line(text[i])) text[i] = ' ';
}

/* "4xx text" or "5xx text"; behind a code with '-' a client would wait for
   more. */
static bool is_refusal(const char *text)
{
	return (text[0] == '4' || text[0] == '5') &&
	       isdigit((unsigned char)text[1]) &&
	       isdigit((unsigned char)text[2]) && text[CODE_LENGTH] == ' ';
}

/* The text, if it is fit for a client; otherwise that of the exit code. */
static const char *choose(struct session *session, const char *text,
			  const char *usual)
{
	char shown[SMTP_REPLY_LIMIT + 1];

	if (!is_refusal(text)) return usual;
	str_clear(&session->refusal);
	str_append_text(&session->refusal,
			printable_text(shown, sizeof shown, text));
	return session->refusal.data;
}

static const char *refuse_with(struct session *session, const char *text,
			       const char *usual)
{
	const char *refusal = choose(session, text, usual);

	if (strncmp(refusal, "421", CODE_LENGTH) == 0)
		session_give_up(session, refusal);
	return refusal;
}

/* ---- the answer ---- */

static const char *judge(struct session *session, const char *program,
			 const struct helper_answer *answer)
{
	const char *text = answer->output;

	switch (answer->exit_code) {
	case CHECK_NEVER:
		return refuse_with(session, text,
				   *text ? REPLY_NO_MAILBOX_OTHER
					 : REPLY_NO_MAILBOX);
	case CHECK_TRY_AGAIN:
		return refuse_with(session, text, REPLY_CANNOT_VERIFY);
	case CHECK_TOO_MUCH:
		return refuse_with(session, text, REPLY_CLIENT_HAS_SENT_ALL);
	case CHECK_CANNOT_EXEC:
		log_helper_failure(program, answer);
		session_give_up(session, REPLY_NO_RECIPIENT_PROGRAM);
	default: return NULL;
	}
}

const char *recipient_program_check(struct session *session)
{
	const struct policy *policy = &session->settings.policy;
	const char *program = policy->recipient_check;
	char text[TEXT_ROOM];
	struct helper_answer answer = { .output = text, .size = sizeof text };
	int cause;

	if (!program || *program != '/') return NULL;
	if (client_may_relay(session) && !policy->check_relayed_recipients)
		return NULL;
	/* The replies so far need not wait for it. */
	session_flush(session);
	if (run(session, program, &answer) < 0) {
		cause = errno;
		log_helper_failure(program, NULL);
		session_give_up(session, cause == EAGAIN || cause == ENOMEM
						 ? REPLY_NO_FORK
						 : REPLY_NO_RECIPIENT_PROGRAM);
	}
	make_one_line(text, answer.length);
	if (*text) log_recipient_program(text);
	switch (answer.ending) {
	case HELPER_EXITED: return judge(session, program, &answer);
	case HELPER_TIMED_OUT:
		log_helper_failure(program, &answer);
		return REPLY_CANNOT_VERIFY;
	case HELPER_CRASHED:
	case HELPER_LOST:
	default: break;
	}
	log_helper_failure(program, &answer);
	session_give_up(session, REPLY_NO_RECIPIENT_PROGRAM);
}
