/* SPDX-License-Identifier: ISC */
#include "mail/smtp_delivery.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"
#include "mail/control.h"

enum {
	NAME_LIMIT = 256, /* of a host, RFC 1035, with a NUL */
};

static const char unspeakable[] =
	"Dan address that no command can carry (#5.1.3)";
static const char no_utf8[] =
	"Dno address beyond ASCII is taken by the mail server (#5.6.7)";
static const char no_reason_for_ever[] =
	"the mail server refused it without a reason (#5.3.0)";
static const char no_reason_now[] =
	"the mail server refused it for now without a reason (#4.3.0)";

/* ---- words ---- */

static void set_reason(struct smtp_delivery *delivery, const char *reason)
{
	str_clear(&delivery->reason);
	str_append_text(&delivery->reason, delivery->server);
	if (delivery->security.length > 0) {
		str_append_text(&delivery->reason, " by ");
		str_append_text(&delivery->reason, delivery->security.data);
	}
	str_append_text(&delivery->reason, ": ");
	str_append_text(&delivery->reason, reason);
}

static void set_reason_to_reply(struct smtp_delivery *delivery,
				const struct smtp_reply *reply)
{
	set_reason(delivery, "");
	str_append_number(&delivery->reason, reply->code);
	str_append_byte(&delivery->reason, ' ');
	str_append_text(&delivery->reason, reply->text);
}

static enum smtp_step fail(struct smtp_delivery *delivery,
			   enum queue_exit_code code, const char *reason)
{
	delivery->code = code;
	delivery->text = NULL;
	delivery->client.reply.code = 0;
	set_reason(delivery, reason);
	return code == QUEUE_CONNECTION_TIMED_OUT ? SMTP_TIMED_OUT
						  : SMTP_BROKEN;
}

enum smtp_step smtp_delivery_fail_saying(struct smtp_delivery *delivery,
					 const char *text, const char *reason)
{
	enum smtp_step step = fail(delivery, QUEUE_TRY_AGAIN, reason);

	delivery->text = text;
	return step;
}

/* A step that has no reply. */
static void explain(struct smtp_delivery *delivery, enum smtp_step step,
		    const char *during)
{
	char reason[200];
	const char *cause = error_text(errno);

	delivery->client.reply.code = 0;
	delivery->text = NULL;
	switch (step) {
	case SMTP_TIMED_OUT:
		delivery->code = QUEUE_CONNECTION_TIMED_OUT;
		snprintf(reason, sizeof reason, "timed out %s", during);
		break;
	case SMTP_NO_MESSAGE:
		delivery->code = QUEUE_CANNOT_READ;
		snprintf(reason, sizeof reason, "cannot read the message: %s",
			 cause);
		break;
	case SMTP_DONE:
	case SMTP_REFUSED:
	case SMTP_DEFERRED:
	case SMTP_BROKEN:
	default:
		delivery->code = QUEUE_CONNECTION_LOST;
		snprintf(reason, sizeof reason,
			 "the connection ended, or junk came, %s", during);
		break;
	}
	set_reason(delivery, reason);
}

static bool is_reply(enum smtp_step step)
{
	return step == SMTP_REFUSED || step == SMTP_DEFERRED;
}

/* ---- a server ---- */

/* Part of a command: no blank, and nothing that a server could mistake. */
static bool is_name(const char *name)
{
	if (!*name || strlen(name) >= NAME_LIMIT) return false;
	for (; *name; name++)
		if (*name <= ' ' || *name >= 127) return false;
	return true;
}

/* As qmail-remote: helohost, then me; then what the machine is called. */
static const char *our_name(struct smtp_delivery *delivery)
{
	struct str *name = &delivery->own_name;

	if (delivery->name) return delivery->name;
	if (control_read_line("helohost", name) == CONTROL_FOUND &&
	    is_name(name->data))
		return name->data;
	if (control_read_line("me", name) == CONTROL_FOUND &&
	    is_name(name->data))
		return name->data;
	str_clear(name);
	str_reserve(name, NAME_LIMIT);
	if (gethostname(name->data, NAME_LIMIT) == 0 && is_name(name->data))
		return name->data;
	return "localhost";
}

enum smtp_step smtp_delivery_connect(struct smtp_delivery *delivery)
{
	deadline end = deadline_in(delivery->connect_seconds);
	enum queue_exit_code code = QUEUE_CANNOT_CONNECT;
	char reason[200];
	int fd;

	if (end > delivery->share) end = delivery->share;
	fd = dial(&delivery->place, end);
	if (fd >= 0) {
		smtp_client_start(&delivery->client, delivery->protocol, fd);
		smtp_client_set_deadline(&delivery->client, end);
		return SMTP_DONE;
	}
	if (errno == ETIMEDOUT) code = QUEUE_CONNECTION_TIMED_OUT;
	if (errno == ECONNREFUSED) code = QUEUE_CONNECTION_REFUSED;
	snprintf(reason, sizeof reason, "cannot connect: %s",
		 error_text(errno));
	return fail(delivery, code, reason);
}

enum smtp_step smtp_delivery_greet(struct smtp_delivery *delivery)
{
	struct smtp_client *client = &delivery->client;
	enum smtp_step step = smtp_client_greeting(client);

	smtp_client_set_deadline(client, delivery->share);
	if (step == SMTP_DONE) step = smtp_client_hello(client, delivery->name);
	if (step != SMTP_DONE && !is_reply(step))
		explain(delivery, step, "before hello was answered");
	return step;
}

enum smtp_step smtp_delivery_open_plainly(struct smtp_delivery *delivery)
{
	enum smtp_step step = smtp_delivery_connect(delivery);

	return step == SMTP_DONE ? smtp_delivery_greet(delivery) : step;
}

static void let_go(struct smtp_delivery *delivery)
{
	if (delivery->client.fd >= 0) smtp_client_quit(&delivery->client);
}

/* ---- what the caller is told ---- */

static enum queue_exit_code answer(struct smtp_delivery *delivery, char class,
				   const struct smtp_reply *reply,
				   const char *front)
{
	const char *text = reply->text;
	struct str said = { 0 };
	enum queue_exit_code code;

	/* "5.7.1" behind a 451 would be a lie. */
	if (class == 'Z' && *text != '4' && !*front)
		text += smtp_reply_enhanced_code(text, reply->length);
	if (!*text) text = class == 'D' ? no_reason_for_ever : no_reason_now;
	str_append_byte(&said, class);
	str_append_text(&said, front);
	str_append_text(&said, text);
	set_reason_to_reply(delivery, reply);
	stage_log(delivery->stage, class == 'D' ? "refused" : "deferred",
		  delivery->reason.data);
	code = stage_refuse(said.data);
	str_free(&said);
	return code;
}

/* A line for each kind, since the answer has room for one. */
static void log_some(const struct smtp_delivery *delivery, const char *verdict,
		     size_t count, const char *first,
		     const struct smtp_reply *reply)
{
	char shown[200];

	if (count == 0) return;
	warn("%s: %s %zu of %zu recipients, first %s: %u %s", delivery->server,
	     verdict, count, delivery->stage->envelope.recipient_count,
	     printable_text(shown, sizeof shown, first), reply->code,
	     reply->text);
}

static enum queue_exit_code answer_mixed(struct smtp_delivery *delivery)
{
	const struct smtp_tally *tally = &delivery->tally;
	size_t all = delivery->stage->envelope.recipient_count;
	bool is_refused = tally->refused > 0;
	const char *first =
		is_refused ? tally->first_refused : tally->first_deferred;
	char front[300], shown[100];

	log_some(delivery, "refused", tally->refused, tally->first_refused,
		 &tally->refusal);
	log_some(delivery, "deferred", tally->deferred, tally->first_deferred,
		 &tally->deferral);
	snprintf(front, sizeof front,
		 "4.5.3 not all of %zu recipients are taken, send to each of "
		 "them alone: <%s>: ",
		 all, printable_text(shown, sizeof shown, first));
	return answer(delivery, 'Z',
		      is_refused ? &tally->refusal : &tally->deferral, front);
}

/* The recipients', in the server's words if there is one verdict. */
static enum queue_exit_code answer_tally(struct smtp_delivery *delivery)
{
	const struct smtp_tally *tally = &delivery->tally;
	size_t all = delivery->stage->envelope.recipient_count;

	if (tally->refused == all)
		return answer(delivery, 'D', &tally->refusal, "");
	if (tally->deferred == all)
		return answer(delivery, 'Z', &tally->deferral, "");
	return answer_mixed(delivery);
}

static void log_duplicates(const struct smtp_delivery *delivery)
{
	warn("%s: has delivered to %zu of %zu recipients, who will get it "
	     "again",
	     delivery->server, delivery->tally.taken,
	     delivery->stage->envelope.recipient_count);
}

static enum queue_exit_code answer_without_reply(struct smtp_delivery *delivery)
{
	stage_log(delivery->stage, "deferred", delivery->reason.data);
	return delivery->text ? stage_refuse(delivery->text) : delivery->code;
}

/* ---- the message ---- */

static enum queue_exit_code send_message(struct smtp_delivery *delivery)
{
	struct smtp_client *client = &delivery->client;
	const struct stage *stage = delivery->stage;
	const struct smtp_tally *tally = &delivery->tally;
	enum smtp_step step;

	smtp_client_set_deadline(client, delivery->end);
	step = smtp_transaction_message(client, &stage->envelope,
					&stage->message, &delivery->tally);
	if (step == SMTP_DONE) {
		set_reason_to_reply(delivery, &client->reply);
		stage_log(stage, "delivered", delivery->reason.data);
		return QUEUE_DONE;
	}
	if (!is_reply(step))
		explain(delivery, step, "before the message was answered");
	if (tally->taken > 0) log_duplicates(delivery);
	if (!is_reply(step)) return answer_without_reply(delivery);
	if (tally->refused + tally->deferred > 0) return answer_tally(delivery);
	return answer(delivery, step == SMTP_REFUSED ? 'D' : 'Z',
		      &client->reply, "");
}

enum outcome { TRY_NEXT, ANSWERED };

/* A server that does not talk, or no more, is one that another may replace; one
   that refuses sender or recipient has answered. */
static enum outcome try_server(struct smtp_delivery *delivery,
			       enum queue_exit_code *code)
{
	struct smtp_client *client = &delivery->client;
	const struct stage *stage = delivery->stage;
	enum smtp_step step = delivery->open(delivery);

	if (step != SMTP_DONE) return TRY_NEXT;
	if (delivery->protocol == SMTP_CLIENT_SMTP &&
	    !(client->extensions & SMTP_UTF8) &&
	    smtp_transaction_needs_utf8(&stage->envelope)) {
		set_reason(delivery, no_utf8 + 1);
		stage_log(stage, "refused", delivery->reason.data);
		*code = stage_refuse(no_utf8);
		return ANSWERED;
	}
	step = smtp_transaction_envelope(client, &stage->envelope,
					 &stage->message, &delivery->tally);
	if (step == SMTP_DONE) {
		*code = send_message(delivery);
		return ANSWERED;
	}
	if (!is_reply(step))
		explain(delivery, step, "before the message was wanted");
	if (!is_reply(step) || client->reply.code == SMTP_REPLY_CLOSING)
		return TRY_NEXT;
	*code = delivery->tally.refused + delivery->tally.deferred > 0
			? answer_tally(delivery)
			: answer(delivery, step == SMTP_REFUSED ? 'D' : 'Z',
				 &client->reply, "");
	return ANSWERED;
}

static void log_next(struct smtp_delivery *delivery)
{
	if (delivery->client.reply.code)
		set_reason_to_reply(delivery, &delivery->client.reply);
	warn("%s; the next server is tried", delivery->reason.data);
}

static size_t count_servers(const struct smtp_delivery *delivery, size_t from)
{
	size_t count = 0;

	while (delivery->servers[from + count]) count++;
	return count;
}

bool smtp_delivery_is_usable(const struct smtp_delivery *delivery)
{
	struct dial_place place;

	for (size_t i = 0; delivery->servers[i]; i++)
		if (dial_parse(delivery->servers[i], delivery->default_port,
			       &place) < 0)
			return false;
	return delivery->servers[0] &&
	       (!delivery->name || is_name(delivery->name));
}

static enum queue_exit_code run_through(struct smtp_delivery *delivery)
{
	enum queue_exit_code code = QUEUE_CONNECTION_TIMED_OUT;

	for (size_t i = 0; delivery->servers[i]; i++) {
		int left = deadline_left(delivery->end);
		size_t count = count_servers(delivery, i);

		delivery->server = delivery->servers[i];
		(void)dial_parse(delivery->server, delivery->default_port,
				 &delivery->place);
		/* One that says nothing leaves time for those behind it. */
		delivery->share = deadline_in(0) + left / (int)count;
		delivery->client.fd = -1;
		str_clear(&delivery->security);
		delivery->client.reply = (struct smtp_reply){ 0 };
		if (try_server(delivery, &code) == ANSWERED) {
			let_go(delivery);
			return code;
		}
		let_go(delivery);
		if (count > 1) log_next(delivery);
	}
	/* What is said before MAIL is about us, not about the message: not for
	   ever, whatever the reply is. */
	if (delivery->client.reply.code)
		return answer(delivery, 'Z', &delivery->client.reply, "");
	return answer_without_reply(delivery);
}

enum queue_exit_code smtp_delivery_run(struct smtp_delivery *delivery,
				       const struct stage *stage)
{
	if (stage->envelope.recipient_count == 0) {
		stage_log(stage, "refused", "there is no recipient");
		return QUEUE_BAD_ENVELOPE;
	}
	if (!smtp_transaction_can_say(&stage->envelope)) {
		stage_log(stage, "refused", unspeakable + 1);
		return stage_refuse(unspeakable);
	}
	delivery->stage = stage;
	delivery->name = our_name(delivery);
	delivery->end = deadline_in(delivery->seconds);
	return run_through(delivery);
}
