/* A whole conversation with a server that has said everything beforehand: the
   client comes to an end, calls nothing delivered that has no reply of class 2 for
   each recipient, keeps its texts printable, and says nothing but whole lines. The
   first byte chooses protocol and recipients.
   SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mail/smtp_client.h"
#include "mail/smtp_transaction.h"

enum { SAID = 60000, HEARD = 1 << 18 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static char heard[HEARD];

static void check_text(const struct smtp_reply *reply)
{
	for (size_t i = 0; i < reply->length; i++)
		if (reply->text[i] < ' ' || reply->text[i] > '~')
			__builtin_trap();
	if (strlen(reply->text) != reply->length) __builtin_trap();
}

/* Lines end in CRLF, no dot stands alone but the last, and the commands' lines
   are those that we know. */
static void check_lines(size_t length, bool was_sent)
{
	size_t ends = 0;

	for (size_t i = 0; i < length; i++) {
		if (heard[i] == '\n' && (i == 0 || heard[i - 1] != '\r'))
			__builtin_trap();
		if (heard[i] == '\r' && i + 1 < length && heard[i + 1] != '\n')
			__builtin_trap();
		if (heard[i] == '.' && i >= 2 && heard[i - 1] == '\n' &&
		    i + 2 < length && heard[i + 1] == '\r')
			ends++;
	}
	if (ends != was_sent) __builtin_trap();
}

static size_t count_replies(const uint8_t *bytes, size_t length)
{
	size_t count = 0;
	bool starts = true;

	for (size_t i = 0; i < length; i++) {
		if (starts && bytes[i] == '2') count++;
		starts = bytes[i] == '\n';
	}
	return count;
}

static void make_envelope(struct str *made, struct envelope *envelope,
			  unsigned recipients)
{
	str_clear(made);
	envelope_start(made, "s@example.net");
	for (unsigned i = 0; i < recipients; i++)
		envelope_add(made,
			     i ? "other one@example.org" : "r@example.org");
	envelope_end(made);
	if (envelope_parse(made->data, made->length, envelope) !=
	    ENVELOPE_WHOLE)
		__builtin_trap();
}

static enum smtp_step talk(struct smtp_client *client,
			   const struct envelope *envelope,
			   struct smtp_tally *tally)
{
	static char text[] = "Subject: x\n\n.\n..\nbody\r\n.\rend";
	struct stage_message message = { .bytes = text,
					 .size = sizeof text - 1,
					 .fd = -1 };
	enum smtp_step step = smtp_client_greeting(client);

	if (step == SMTP_DONE) step = smtp_client_hello(client, "us.example");
	if (step == SMTP_DONE && client->extensions & SMTP_AUTH_PLAIN)
		step = smtp_client_log_in(client, "login", "password");
	if (step == SMTP_DONE)
		step = smtp_transaction_envelope(client, envelope, &message,
						 tally);
	if (step == SMTP_DONE)
		step = smtp_transaction_message(client, envelope, &message,
						tally);
	return step;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct smtp_client client;
	static struct smtp_tally tally;
	static struct str made;
	enum smtp_protocol protocol;
	struct envelope envelope;
	enum smtp_step step;
	unsigned recipients;
	size_t got = 0;
	ssize_t n;
	int ends[2];

	if (length == 0 || length > SAID) return 0;
	signal(SIGPIPE, SIG_IGN);
	recipients = 1 + bytes[0] % 64;
	protocol = bytes[0] & 64 ? SMTP_CLIENT_LMTP : SMTP_CLIENT_SMTP;
	bytes++;
	length--;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0) abort();
	if (length > 0 && write(ends[0], bytes, length) != (ssize_t)length)
		abort();
	shutdown(ends[0], SHUT_WR);
	make_envelope(&made, &envelope, recipients);
	tally = (struct smtp_tally){ 0 };
	smtp_client_start(&client, protocol, ends[1]);
	smtp_client_set_deadline(&client, deadline_in(10));
	step = talk(&client, &envelope, &tally);
	check_text(&client.reply);
	check_text(&tally.refusal);
	check_text(&tally.deferral);
	if (step == SMTP_TIMED_OUT || step == SMTP_NO_MESSAGE) __builtin_trap();
	if (step == SMTP_DONE) {
		/* Greeting, hello, sender, recipients, and the answers. */
		size_t least = 3 + recipients +
			       (protocol == SMTP_CLIENT_LMTP ? recipients : 1);

		if (count_replies(bytes, length) < least) __builtin_trap();
	}
	if (tally.taken + tally.refused + tally.deferred > recipients)
		__builtin_trap();
	smtp_client_quit(&client);
	while ((n = read(ends[0], heard + got, sizeof heard - got)) > 0)
		got += (size_t)n;
	check_lines(got,
		    step == SMTP_DONE ||
			    (got > 3 && memmem(heard, got, "\r\n.\r\n", 5)));
	close(ends[0]);
	return 0;
}
