/* SPDX-License-Identifier: ISC */
#include "mail/smtp_client.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/parse.h"
#include "base/str.h"
#include "mail/sasl.h"

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

enum smtp_step smtp_client_cause(void)
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
		if (n < 0) return smtp_client_cause();
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
enum smtp_step smtp_client_expect(struct smtp_client *client, unsigned class)
{
	enum smtp_step step = read_reply(client, ORDINARY);

	return step == SMTP_DONE ? judge(client, class) : step;
}

/* ---- commands ---- */

/* Collected. What cannot be written any more shows when it is sent: half a command
   must not be followed by another one. */
void smtp_client_say(struct smtp_client *client, const char *text)
{
	if (!client->failure && stream_put_text(&client->out, text) < 0)
		client->failure = errno;
}

enum smtp_step smtp_client_send(struct smtp_client *client)
{
	if (!client->failure && stream_flush(&client->out) < 0)
		client->failure = errno;
	if (!client->failure) return SMTP_DONE;
	errno = client->failure;
	return smtp_client_cause();
}

enum smtp_step smtp_client_ask(struct smtp_client *client, unsigned class)
{
	enum smtp_step step = smtp_client_send(client);

	return step == SMTP_DONE ? smtp_client_expect(client, class) : step;
}

enum smtp_step smtp_client_greeting(struct smtp_client *client)
{
	return smtp_client_expect(client, 2);
}

static enum smtp_step ask_hello(struct smtp_client *client, const char *verb,
				const char *name)
{
	enum smtp_step step;

	client->extensions = 0;
	smtp_client_say(client, verb);
	smtp_client_say(client, name);
	smtp_client_say(client, "\r\n");
	step = smtp_client_send(client);
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

	smtp_client_say(client, "STARTTLS\r\n");
	step = smtp_client_ask(client, 2);
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
	smtp_client_say(client, command.data);
	step = smtp_client_ask(client, 2);
	sasl_wipe(&secret);
	sasl_wipe(&command);
	return step;
}
