/* SPDX-License-Identifier: ISC */
#include "mail/smtp_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/parse.h"
#include "base/str.h"
#include "mail/address.h"
#include "mail/sasl.h"
#include "mail/smtp_data.h"

enum {
	/* Recipients whose replies are not waited for: so many replies fit into
	   the buffers between two ends that both write (RFC 2920 section 3.1). */
	GROUP = 50,
	SLICE = 16384, /* of a message, on its way */
	/* For the reason of a server that takes no more of a message. */
	LAST_WORD_SECONDS = 2,
	SMTP_CLOSING = 421, /* it says no more, RFC 5321 section 3.8 */
};

void smtp_client_start(struct smtp_client *client, enum smtp_protocol protocol,
		       int fd)
{
	client->protocol = protocol;
	client->extensions = 0;
	client->in_message = false;
	client->failure = 0;
	client->reply = (struct smtp_reply){ 0 };
	client->line = (struct smtp_line){ 0 };
	client->in = (struct stream_in){
		.data = client->received,
		.size = sizeof client->received,
	};
	client->out = (struct stream_out){
		.data = client->collected,
		.size = sizeof client->collected,
	};
	smtp_client_exchange(client, fd);
}

void smtp_client_exchange(struct smtp_client *client, int fd)
{
	client->fd = client->in.fd = client->out.fd = fd;
	client->out.kind = STREAM_SOCKET;
}

void smtp_client_set_deadline(struct smtp_client *client, deadline end)
{
	client->in.until = client->out.until = end;
}

/* In the middle of a message it would be a line of that. */
void smtp_client_quit(struct smtp_client *client)
{
	static const char quit[] = "QUIT\r\n";

	if (!client->in_message)
		(void)stream_write_some(client->fd, &client->out.kind, quit,
					sizeof quit - 1);
	close(client->fd);
	client->fd = -1;
}

/* ---- replies ---- */

static enum smtp_step cause_of_failure(void)
{
	return errno == ETIMEDOUT ? SMTP_TIMED_OUT : SMTP_BROKEN;
}

static enum smtp_step next_line(struct smtp_client *client)
{
	for (;;) {
		ssize_t n;

		switch (smtp_line_take(&client->line, &client->in,
				       SMTP_LINE_LIMIT)) {
		case SMTP_LINE_WHOLE: return SMTP_DONE;
		case SMTP_LINE_PARTIAL:
			if (client->line.dropping) return SMTP_BROKEN;
			break;
		case SMTP_LINE_TOO_LONG:
		case SMTP_LINE_HAS_NUL:
		default: return SMTP_BROKEN;
		}
		n = stream_fill(&client->in);
		if (n < 0) return cause_of_failure();
		if (n == 0) return SMTP_BROKEN;
	}
}

static bool has_mechanism(const char *list, const char *name)
{
	struct smtp_parameter word;

	while (smtp_parameter_next(&list, &word))
		if (parse_same_word(word.name, word.name_length, name))
			return true;
	return false;
}

/* A line of the reply to EHLO: "SIZE 1000", "AUTH PLAIN LOGIN". */
static void note_extension(struct smtp_client *client, const char *text)
{
	static const struct {
		const char *name;
		enum smtp_extension extension;
	} known[] = {
		{ "PIPELINING", SMTP_PIPELINING }, { "SIZE", SMTP_SIZE },
		{ "8BITMIME", SMTP_8BITMIME },     { "SMTPUTF8", SMTP_UTF8 },
		{ "STARTTLS", SMTP_STARTTLS },
	};
	size_t length = strcspn(text, " ");

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (parse_same_word(text, length, known[i].name))
			client->extensions |= known[i].extension;
	if (parse_same_word(text, length, "AUTH") &&
	    has_mechanism(text + length, "PLAIN"))
		client->extensions |= SMTP_AUTH_PLAIN;
}

enum reply_use { ORDINARY, OF_EHLO };

static enum smtp_step read_reply(struct smtp_client *client, enum reply_use use)
{
	enum smtp_reply_state state = SMTP_REPLY_BAD;
	struct smtp_reply *reply = &client->reply;
	const char *text;

	*reply = (struct smtp_reply){ 0 };
	do {
		enum smtp_step step = next_line(client);

		if (step == SMTP_DONE) {
			state = smtp_reply_take(reply, client->line.text,
						client->line.length, &text);
			if (state == SMTP_REPLY_BAD) step = SMTP_BROKEN;
		}
		if (step != SMTP_DONE) {
			*reply = (struct smtp_reply){ 0 };
			return step;
		}
		/* The first line is the server's name. */
		if (use == OF_EHLO && reply->lines > 1)
			note_extension(client, text);
	} while (state != SMTP_REPLY_WHOLE);
	return SMTP_DONE;
}

static enum smtp_step judge(const struct smtp_client *client, unsigned class)
{
	unsigned got = smtp_reply_class(&client->reply);

	if (got == class) return SMTP_DONE;
	if (got == 5) return SMTP_REFUSED;
	return got == 4 ? SMTP_DEFERRED : SMTP_BROKEN;
}

/* The next reply, which should be of that class. */
static enum smtp_step expect(struct smtp_client *client, unsigned class)
{
	enum smtp_step step = read_reply(client, ORDINARY);

	return step == SMTP_DONE ? judge(client, class) : step;
}

/* ---- commands ---- */

/* Collected. What cannot be written any more shows when it is sent: half a command
   must not be followed by another one. */
static void say(struct smtp_client *client, const char *text)
{
	if (!client->failure && stream_put_text(&client->out, text) < 0)
		client->failure = errno;
}

static enum smtp_step send_collected(struct smtp_client *client)
{
	if (!client->failure && stream_flush(&client->out) < 0)
		client->failure = errno;
	if (!client->failure) return SMTP_DONE;
	errno = client->failure;
	return cause_of_failure();
}

static enum smtp_step ask(struct smtp_client *client, unsigned class)
{
	enum smtp_step step = send_collected(client);

	return step == SMTP_DONE ? expect(client, class) : step;
}

enum smtp_step smtp_client_greeting(struct smtp_client *client)
{
	return expect(client, 2);
}

static enum smtp_step ask_hello(struct smtp_client *client, const char *verb,
				const char *name)
{
	enum smtp_step step;

	client->extensions = 0;
	say(client, verb);
	say(client, name);
	say(client, "\r\n");
	step = send_collected(client);
	if (step == SMTP_DONE) step = read_reply(client, OF_EHLO);
	if (step == SMTP_DONE) step = judge(client, 2);
	if (step != SMTP_DONE) client->extensions = 0;
	return step;
}

enum smtp_step smtp_client_hello(struct smtp_client *client, const char *name)
{
	enum smtp_step step;

	if (client->protocol == SMTP_CLIENT_LMTP)
		return ask_hello(client, "LHLO ", name);
	step = ask_hello(client, "EHLO ", name);
	if (step != SMTP_REFUSED) return step;
	step = ask_hello(client, "HELO ", name);
	client->extensions = 0;
	return step;
}

/* What has come behind the reply came in clear text, from whomever. */
enum smtp_step smtp_client_starttls(struct smtp_client *client)
{
	enum smtp_step step;

	say(client, "STARTTLS\r\n");
	step = ask(client, 2);
	if (step == SMTP_DONE && client->in.start != client->in.end)
		step = SMTP_BROKEN;
	client->extensions = 0;
	return step;
}

enum smtp_step smtp_client_log_in(struct smtp_client *client, const char *login,
				  const char *password)
{
	struct str secret = { 0 }, command = { 0 };
	enum smtp_step step;

	str_append_byte(&secret, '\0');
	str_append(&secret, login, strlen(login) + 1);
	str_append_text(&secret, password);
	str_append_text(&command, "AUTH PLAIN ");
	base64_encode(&command, secret.data, secret.length);
	str_append_text(&command, "\r\n");
	say(client, command.data);
	step = ask(client, 2);
	sasl_wipe(&secret);
	sasl_wipe(&command);
	return step;
}

/* ---- the envelope ---- */

bool smtp_client_can_say(const struct envelope *envelope)
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

bool smtp_client_needs_utf8(const struct envelope *envelope)
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
	(void)address_write(&line, address); /* smtp_client_can_say */
	str_append_byte(&line, '>');
	say(client, line.data);
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
		say(client, size);
	}
	if (client->extensions & SMTP_8BITMIME && told.is_8bit)
		say(client, " BODY=8BITMIME");
	if (client->extensions & SMTP_UTF8 && smtp_client_needs_utf8(envelope))
		say(client, " SMTPUTF8");
	say(client, "\r\n");
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
		enum smtp_step step = expect(client, 2);

		if (!is_answer(step)) return step;
		exchange->last =
			envelope_next(exchange->envelope, exchange->last);
		add_to_tally(exchange->tally, exchange->last, client, step);
		if (client->reply.code == SMTP_CLOSING) return SMTP_DEFERRED;
	}
	return SMTP_DONE;
}

static enum smtp_step hear(struct exchange *exchange)
{
	struct smtp_client *client = exchange->client;
	enum smtp_step step = send_collected(client);

	if (step == SMTP_DONE && exchange->mail_is_unheard) {
		exchange->mail_is_unheard = false;
		step = expect(client, 2);
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
		say(client, "\r\n");
		exchange->unheard++;
	}
	return step;
}

/* What the server sends before it has got the message is no answer to it. */
static enum smtp_step hear_data(struct smtp_client *client)
{
	enum smtp_step step = ask(client, 3);

	if (step != SMTP_DONE) return step;
	client->in_message = true;
	return client->in.start == client->in.end ? SMTP_DONE : SMTP_BROKEN;
}

/* To what was said at once, and is of no use any more. */
static void hear_the_rest(struct smtp_client *client, size_t recipients)
{
	struct smtp_reply reply = client->reply;

	if (reply.code == SMTP_CLOSING) return;
	while (recipients-- > 0) (void)expect(client, 2);
	(void)hear_data(client);
	client->reply = reply;
}

enum smtp_step smtp_client_envelope(struct smtp_client *client,
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
	if (at_once) say(client, "DATA\r\n");
	step = hear(&exchange);
	if (step == SMTP_DONE) step = verdict_of(tally);
	if (!at_once && step == SMTP_DONE) say(client, "DATA\r\n");
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
	enum smtp_step cause = cause_of_failure(), step;

	smtp_client_set_deadline(client, deadline_in(LAST_WORD_SECONDS));
	step = expect(client, 2);
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

enum smtp_step smtp_client_message(struct smtp_client *client,
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
	if (client->protocol == SMTP_CLIENT_SMTP) return expect(client, 2);
	step = hear_recipients(&exchange);
	return step == SMTP_DONE ? verdict_of(tally) : step;
}
