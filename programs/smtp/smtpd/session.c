/* SPDX-License-Identifier: ISC */
#include "session.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "enhanced.h"
#include "log.h"
#include "plugins.h"
#include "replies.h"
#include "system/deadline.h"

enum { TIMEOUT_UNTIL_READ = 1200 };

static void connect_streams(struct session *session, unsigned long seconds)
{
	session->in = (struct stream_in){
		.fd = STDIN_FILENO,
		.seconds = seconds,
		.is_ours = true,
		.data = session->input + SMTP_DATA_GROWTH,
		.size = INPUT_BUFFER,
	};
	session->out = (struct stream_out){
		.fd = STDOUT_FILENO,
		.seconds = seconds,
		.data = session->output,
		.size = sizeof session->output,
	};
}

void session_open(struct session *session)
{
	session->client = connection_from_environment();
	connect_streams(session, TIMEOUT_UNTIL_READ);
}

static bool codes_are_wanted(const struct session *session)
{
	return session->settings.enhanced_codes && !session->without_codes;
}

/* What does not fit is cut: a reply has its code at the end of a short text. */
static void collect(struct reply_text *reply, const char *text)
{
	size_t length = strlen(text), room = sizeof reply->text - reply->length;

	if (length > room) length = room;
	memcpy(reply->text + reply->length, text, length);
	reply->length += length;
}

void reply_part(struct session *session, const char *text)
{
	if (codes_are_wanted(session)) collect(&session->reply, text);
	else if (stream_put_text(&session->out, text) < 0) exit(EXIT_NO_QUIT);
}

void reply_with_code(struct session *session, const char *text,
		     const char *code)
{
	struct reply_text *whole = &session->reply;

	reply_part(session, text);
	if (!codes_are_wanted(session)) {
		reply_part(session, "\r\n");
		return;
	}
	if (enhanced_put(&session->out, whole->text, whole->length, code) < 0)
		exit(EXIT_NO_QUIT);
	whole->length = 0;
}

void reply(struct session *session, const char *text)
{
	reply_with_code(session, text, NULL);
}

void reply_number(struct session *session, unsigned long number)
{
	char digits[sizeof number * 3 + 1];
	char *at = digits + sizeof digits - 1;

	*at = '\0';
	do {
		*--at = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	reply_part(session, at);
}

void session_flush(struct session *session)
{
	if (stream_flush(&session->out) < 0) exit(EXIT_NO_QUIT);
}

void session_pause(struct session *session, unsigned long seconds)
{
	if (seconds == 0) return;
	session_flush(session);
	/* Not for input: that waits. */
	if (deadline_wait_for(session->in.fd, POLLRDHUP, seconds) != 0)
		exit(EXIT_NO_QUIT);
}

/* A name that is none does no harm. */
void session_export(struct session *session, const char *name,
		    const char *value)
{
	if (!value) unsetenv(name);
	else if (setenv(name, value, 1) < 0 && errno == ENOMEM)
		session_give_up(session, REPLY_NO_MEMORY);
}

void session_read_environment(struct session *session)
{
	session->client = connection_from_environment();
	settings_read_policy(&session->settings);
}

void session_leave(struct session *session)
{
	session_flush(session);
	/* What is there by now. */
	stream_drain(session->in.fd, 0);
	exit(EXIT_NO_QUIT);
}

void session_give_up(struct session *session, const char *text)
{
	log_end(text);
	session->reply.length = 0;
	reply(session, text);
	session_leave(session);
}

void session_quit(struct session *session)
{
	reply_part(session, REPLY_CLOSING);
	reply(session, session->settings.greeting.data);
	/* A close with unread input would drop what is still to be sent. */
	session->out.is_ending = session->in.start == session->in.end;
	session_flush(session);
	exit(EXIT_DONE);
}

void session_read(struct session *session)
{
	ssize_t n;

	session_flush(session);
	n = stream_fill(&session->in);
	if (n > 0) return;
	if (n < 0 && errno == ETIMEDOUT)
		session_give_up(session, REPLY_TIMEOUT);
	log_end("the client is gone");
	exit(EXIT_NO_QUIT);
}

/* How long a line may be that begins with what has come of it. */
typedef size_t line_limit(const char *bytes, size_t length);

static enum smtp_line_state read_line(struct session *session,
				      line_limit *find_limit)
{
	unsigned long seconds = session->settings.command_timeout;
	struct stream_in *in = &session->in;
	enum smtp_line_state state;

	in->until = seconds ? deadline_in(seconds) : 0;
	for (;;) {
		size_t limit =
			find_limit(in->data + in->start, in->end - in->start);

		state = smtp_line_take(&session->line, in, limit);
		if (state != SMTP_LINE_PARTIAL) break;
		session_read(session);
	}
	in->until = 0;
	return state;
}

enum smtp_line_state session_read_line(struct session *session)
{
	enum smtp_line_state state = read_line(session, auth_line_limit);

	if (state == SMTP_LINE_TOO_LONG) refuse(session, REPLY_LINE_TOO_LONG);
	if (state == SMTP_LINE_HAS_NUL) refuse(session, REPLY_LINE_HAS_NUL);
	return state;
}

enum smtp_line_state session_read_answer(struct session *session)
{
	return read_line(session, auth_answer_limit);
}

void session_reset(struct session *session)
{
	struct transaction *transaction = &session->transaction;

	reception_abandon(session);
	transaction->open = false;
	transaction->bad_helo = transaction->bad_sender = NULL;
	transaction->helo_is_checked = false;
	transaction->utf8 = false;
	transaction->chunks = (struct chunks){ 0 };
	transaction->recipient_count = transaction->recipients_tried = 0;
	transaction->recipients_allowed = 0;
	str_clear(&transaction->sender);
	str_clear(&transaction->spf_refusal);
	str_clear(&transaction->envelope);
	str_clear(&transaction->headers);
	str_clear(&transaction->headers_below);
	str_clear(&transaction->spf_result);
	str_clear(&transaction->spf_identity);
	spf_forget(session);
	plugins_forget_transaction(session);
}

void session_begin_anew(struct session *session)
{
	connect_streams(session, session->settings.timeout);
	session->line = (struct smtp_line){ 0 };
	str_free(&session->helo);
	session->is_extended = false;
	session->results.client_name = NULL;
	auth_forget(session);
	plugins_forget_words(session);
	session_reset(session);
}
