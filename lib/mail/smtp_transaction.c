/* SPDX-License-Identifier: ISC */
#include "mail/smtp_transaction.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "mail/address.h"
#include "mail/smtp_data.h"

enum {
	/* Recipients whose replies are not waited for: so many replies fit into
	   the buffers between two ends that both write (RFC 2920 section 3.1). */
	GROUP = 50,
	SLICE = 16384, /* of a message, on its way */
	/* For the reason of a server that takes no more of a message. */
	LAST_WORD_SECONDS = 2,
};

/* ---- the envelope ---- */

bool smtp_transaction_can_say(const struct envelope *envelope)
{
	struct str written = { 0 };
	const char *recipient = NULL;
	bool can_say = address_write(&written, envelope->sender) == 0;

	while (can_say && (recipient = envelope_next(envelope, recipient))) {
		str_clear(&written);
		can_say = *recipient && address_write(&written, recipient) == 0;
	}
	str_free(&written);
	return can_say;
}

static bool is_beyond_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80) return true;
	return false;
}

bool smtp_transaction_needs_utf8(const struct envelope *envelope)
{
	const char *recipient = NULL;

	if (is_beyond_ascii(envelope->sender)) return true;
	while ((recipient = envelope_next(envelope, recipient)))
		if (is_beyond_ascii(recipient)) return true;
	return false;
}

/* What MAIL tells of a message. */
struct measure {
	size_t size; /* on its way, but for dots */
	bool is_8bit;
};

static int measure(const struct stage_message *message, struct measure *measure)
{
	size_t length = 0, line_ends = 0;
	unsigned char bits = 0;

	for (size_t at = 0;; at += length) {
		const char *bytes = stage_message_at(message, at, &length);

		if (!bytes) return -1;
		if (length == 0) break;
		for (size_t i = 0; i < length; i++) {
			bits |= (unsigned char)bytes[i];
			line_ends += bytes[i] == '\n';
		}
	}
	measure->size = message->size + line_ends;
	measure->is_8bit = bits & 0x80;
	return 0;
}

static void say_address(struct smtp_client *client, const char *command,
			const char *address)
{
	struct str line = { 0 };

	str_append_text(&line, command);
	(void)address_write(&line, address); /* smtp_transaction_can_say */
	str_append_byte(&line, '>');
	smtp_client_say(client, line.data);
	str_free(&line);
}

/* SIZE is RFC 1870's, BODY is RFC 6152's. */
static int say_mail(struct smtp_client *client, const struct envelope *envelope,
		    const struct stage_message *message)
{
	struct measure told = { 0 };
	char size[sizeof " SIZE=" + 20];

	say_address(client, "MAIL FROM:<", envelope->sender);
	if (client->extensions & (SMTP_SIZE | SMTP_8BITMIME) &&
	    measure(message, &told) < 0)
		return -1;
	if (client->extensions & SMTP_SIZE) {
		snprintf(size, sizeof size, " SIZE=%zu", told.size);
		smtp_client_say(client, size);
	}
	if (client->extensions & SMTP_8BITMIME && told.is_8bit)
		smtp_client_say(client, " BODY=8BITMIME");
	if (client->extensions & SMTP_UTF8 &&
	    smtp_transaction_needs_utf8(envelope))
		smtp_client_say(client, " SMTPUTF8");
	smtp_client_say(client, "\r\n");
	return 0;
}

/* Counts what the server has said of the recipient. */
static void add_to_tally(struct smtp_tally *tally, const char *recipient,
			 const struct smtp_client *client, enum smtp_step step)
{
	if (step == SMTP_DONE) {
		tally->taken++;
	} else if (step == SMTP_REFUSED) {
		if (tally->refused++ > 0) return;
		tally->first_refused = recipient;
		tally->refusal = client->reply;
	} else if (step == SMTP_DEFERRED) {
		if (tally->deferred++ > 0) return;
		tally->first_deferred = recipient;
		tally->deferral = client->reply;
	}
}

static bool is_answer(enum smtp_step step)
{
	return step == SMTP_DONE || step == SMTP_REFUSED ||
	       step == SMTP_DEFERRED;
}

static enum smtp_step verdict_of(const struct smtp_tally *tally)
{
	if (tally->deferred > 0) return SMTP_DEFERRED;
	return tally->refused > 0 ? SMTP_REFUSED : SMTP_DONE;
}

/* What has been said, and whose replies have not been heard. */
struct exchange {
	struct smtp_client *client;
	const struct envelope *envelope;
	struct smtp_tally *tally;
	bool mail_is_unheard;
	size_t unheard;   /* recipients */
	const char *last; /* of those that were heard */
};

/* One reply for each recipient; all of them, good or bad. */
static enum smtp_step hear_recipients(struct exchange *exchange)
{
	struct smtp_client *client = exchange->client;

	for (; exchange->unheard > 0; exchange->unheard--) {
		enum smtp_step step = smtp_client_expect(client, 2);

		if (!is_answer(step)) return step;
		exchange->last =
			envelope_next(exchange->envelope, exchange->last);
		add_to_tally(exchange->tally, exchange->last, client, step);
		if (client->reply.code == SMTP_REPLY_CLOSING)
			return SMTP_DEFERRED;
	}
	return SMTP_DONE;
}

static enum smtp_step hear(struct exchange *exchange)
{
	struct smtp_client *client = exchange->client;
	enum smtp_step step = smtp_client_send(client);

	if (step == SMTP_DONE && exchange->mail_is_unheard) {
		exchange->mail_is_unheard = false;
		step = smtp_client_expect(client, 2);
	}
	return step == SMTP_DONE ? hear_recipients(exchange) : step;
}

/* Up to the last group's replies, which are heard by the caller. */
static enum smtp_step say_recipients(struct exchange *exchange)
{
	struct smtp_client *client = exchange->client;
	bool pipelining = client->extensions & SMTP_PIPELINING;
	const char *recipient = NULL;
	enum smtp_step step = pipelining ? SMTP_DONE : hear(exchange);

	while (step == SMTP_DONE &&
	       (recipient = envelope_next(exchange->envelope, recipient))) {
		if (exchange->unheard == (pipelining ? GROUP : 1))
			step = hear(exchange);
		say_address(client, "RCPT TO:<", recipient);
		smtp_client_say(client, "\r\n");
		exchange->unheard++;
	}
	return step;
}

/* What the server sends before it has got the message is no answer to it. */
static enum smtp_step hear_data(struct smtp_client *client)
{
	enum smtp_step step = smtp_client_ask(client, 3);

	if (step != SMTP_DONE) return step;
	client->in_message = true;
	return client->in.start == client->in.end ? SMTP_DONE : SMTP_BROKEN;
}

/* To what was said at once, and is of no use any more. */
static void hear_the_rest(struct smtp_client *client, size_t recipients)
{
	struct smtp_reply reply = client->reply;

	if (reply.code == SMTP_REPLY_CLOSING) return;
	while (recipients-- > 0) (void)smtp_client_expect(client, 2);
	(void)hear_data(client);
	client->reply = reply;
}

enum smtp_step smtp_transaction_envelope(struct smtp_client *client,
					 const struct envelope *envelope,
					 const struct stage_message *message,
					 struct smtp_tally *tally)
{
	struct exchange exchange = { client, envelope, tally, true, 0, NULL };
	/* With one recipient everything goes out at once: a server that has
	   refused him refuses DATA as well. */
	bool at_once = envelope->recipient_count == 1 &&
		       client->extensions & SMTP_PIPELINING;
	enum smtp_step step;

	*tally = (struct smtp_tally){ 0 };
	if (say_mail(client, envelope, message) < 0) return SMTP_NO_MESSAGE;
	step = say_recipients(&exchange);
	if (step != SMTP_DONE) return step;
	if (at_once) smtp_client_say(client, "DATA\r\n");
	step = hear(&exchange);
	if (step == SMTP_DONE) step = verdict_of(tally);
	if (!at_once && step == SMTP_DONE) smtp_client_say(client, "DATA\r\n");
	if (step == SMTP_DONE) return hear_data(client);
	if (at_once && is_answer(step)) hear_the_rest(client, exchange.unheard);
	return step;
}

/* ---- the message ---- */

static int put_encoded(struct smtp_client *client, const char *bytes,
		       size_t length, struct smtp_data_encoder *encoder)
{
	static char encoded[2 * SLICE + SMTP_DATA_ENCODED];

	while (length > 0) {
		size_t slice = length < SLICE ? length : SLICE;
		size_t made = smtp_data_encode(encoder, bytes, slice, encoded);

		if (stream_put(&client->out, encoded, made) < 0) return -1;
		bytes += slice;
		length -= slice;
	}
	return 0;
}

/* A server that takes no more may have said why. */
static enum smtp_step hear_last_word(struct smtp_client *client)
{
	enum smtp_step cause = smtp_client_cause(), step;

	smtp_client_set_deadline(client, deadline_in(LAST_WORD_SECONDS));
	step = smtp_client_expect(client, 2);
	return step == SMTP_REFUSED || step == SMTP_DEFERRED ? step : cause;
}

static enum smtp_step send_message(struct smtp_client *client,
				   const struct stage_message *message)
{
	struct smtp_data_encoder encoder = { 0 };
	char end[SMTP_DATA_ENCODED_END];
	size_t length;

	for (size_t at = 0; at < message->size; at += length) {
		const char *bytes = stage_message_at(message, at, &length);

		if (!bytes) return SMTP_NO_MESSAGE;
		if (put_encoded(client, bytes, length, &encoder) < 0)
			return hear_last_word(client);
	}
	length = smtp_data_encode_end(&encoder, end);
	if (stream_put(&client->out, end, length) < 0 ||
	    stream_flush(&client->out) < 0)
		return hear_last_word(client);
	client->in_message = false;
	return SMTP_DONE;
}

enum smtp_step smtp_transaction_message(struct smtp_client *client,
					const struct envelope *envelope,
					const struct stage_message *message,
					struct smtp_tally *tally)
{
	struct exchange exchange = { .client = client,
				     .envelope = envelope,
				     .tally = tally,
				     .unheard = envelope->recipient_count };
	enum smtp_step step = send_message(client, message);

	*tally = (struct smtp_tally){ 0 };
	if (step != SMTP_DONE) return step;
	if (client->protocol == SMTP_CLIENT_SMTP)
		return smtp_client_expect(client, 2);
	step = hear_recipients(&exchange);
	return step == SMTP_DONE ? verdict_of(tally) : step;
}
