/* spamd's answers, each as spamd 4.0 gives it, and what no spamd says.
   SPDX-License-Identifier: ISC */
#include "mail/spamd.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

static char *bytes;

/* The bytes in a room of their own, for a sanitizer. */
static enum spamd_state parse(const char *text, size_t length,
			      struct spamd_reply *reply)
{
	free(bytes);
	bytes = malloc(length + 1);
	memcpy(bytes, text, length);
	return spamd_parse(bytes, length, reply);
}

static void is_state(const char *text, enum spamd_state wanted)
{
	struct spamd_reply reply;

	is_number(parse(text, strlen(text), &reply), wanted, text);
}

#define OK "SPAMD/1.1 0 EX_OK\r\n"

static void verdicts(void)
{
	struct spamd_reply reply;
	const char *text = OK "Spam: True ; 1005.7 / 5.0\r\n\r\n";

	is_number(parse(text, strlen(text), &reply), SPAMD_ANSWERED, "spam");
	ok(reply.is_spam, "is spam");
	is_number(reply.score, 100570, "its score");
	is_number(reply.required, 500, "and what is required");
	ok(reply.body == NULL, "there is no body");
	is_text(reply.text, "SPAMD/1.1 0 EX_OK", "the status line");
	for (size_t n = 0; n < strlen(text); n++)
		if (parse(text, n, &reply) != SPAMD_MORE)
			ok(false, "not whole yet");
	text = "SPAMD/9.9 0 \nspam:no;-0.35/5\ncontent-LENGTH:0\n\n";
	is_number(parse(text, strlen(text), &reply), SPAMD_ANSWERED,
		  "another version, no CRs, no blanks");
	ok(!reply.is_spam, "no spam");
	is_number(reply.score, -35, "a negative score");
	ok(reply.body != NULL && reply.body_length == 0, "an empty body");
	is_state(OK "Spam: Yes ; 7 / 5\r\n\r\n", SPAMD_ANSWERED);
	is_state("SPAMD/1.1 0\nSpam: False ; 1 / 5\n\n", SPAMD_ANSWERED);
}

static void bodies(void)
{
	static const char body[] = "X-Spam-Flag: YES\n\n";
	struct spamd_reply reply;
	const char *text = OK "Content-length: 18\r\n"
			      "Spam: True ; 6.0 / 5.0\r\n"
			      "X-Other: field\r\n"
			      "\r\nX-Spam-Flag: YES\n\nmore";
	size_t length = strlen(text);

	is_number(parse(text, length, &reply), SPAMD_ANSWERED, "a body");
	is_bytes(reply.body, reply.body_length, body, sizeof body - 1,
		 "as long as it says");
	is_number(parse(text, length - 4, &reply), SPAMD_ANSWERED,
		  "with nothing behind it");
	is_number(parse(text, length - 5, &reply), SPAMD_MORE, "cut");
}

static void failures(void)
{
	static char flood[SPAMD_HEAD_LIMIT + 100];
	struct spamd_reply reply;

	is_state("", SPAMD_MORE);
	is_state("SPAMD/1.0 76 Bad header line: FROB\r\n", SPAMD_FAILED);
	parse("SPAMD/1.0 76 a\033b\0c\r\n", 20, &reply);
	is_text(reply.text, "SPAMD/1.0 76 a?b?c", "what it said");
	is_state("SPAMD/1.1 00 EX_OK\r\n", SPAMD_FAILED);
	is_state("SPAMD/1.1 \r\n", SPAMD_FAILED);
	is_state("SPAMD/1.1\r\n", SPAMD_FAILED);
	is_state("SPAMD 0 EX_OK\r\n", SPAMD_FAILED);
	is_state("HTTP/1.1 200 OK\r\n", SPAMD_FAILED);
	is_state("\r\n", SPAMD_FAILED);
	is_state("SPAMD/1.5 0 PONG\r\n", SPAMD_MORE);
	is_state(OK "\r\n", SPAMD_FAILED);
	is_state(OK "Content-length: 0\r\n\r\n", SPAMD_FAILED);
	is_state(OK "no field\r\n", SPAMD_FAILED);
	is_state(OK "Spam: Maybe ; 1 / 5\r\n", SPAMD_FAILED);
	is_state(OK "Spam: True\r\n", SPAMD_FAILED);
	is_state(OK "Spam: True ; / 5\r\n", SPAMD_FAILED);
	is_state(OK "Spam: True ; 1 /\r\n", SPAMD_FAILED);
	is_state(OK "Spam: True ; nan / 5\r\n", SPAMD_FAILED);
	is_state(OK "Spam: True ; 1 / 5 more\r\n", SPAMD_FAILED);
	is_state(OK "Spam: True ; 9 / 5\r\nSpam: False ; 0 / 5\r\n",
		 SPAMD_FAILED);
	is_state(OK "Content-length: 1\r\nContent-length: 2\r\n", SPAMD_FAILED);
	is_state(OK "Content-length: -1\r\n", SPAMD_FAILED);
	is_state(OK "Content-length: \r\n", SPAMD_FAILED);
	is_state(OK "Content-length: 524289\r\n", SPAMD_FAILED);
	is_state(OK "Content-length: 99999999999999999999\r\n", SPAMD_FAILED);
	memset(flood, 'a', sizeof flood);
	is_number(parse(flood, sizeof flood, &reply), SPAMD_FAILED,
		  "an endless line");
	is_number((long long)strlen(reply.text), SPAMD_TEXT_LIMIT - 1,
		  "of which the beginning is kept");
	for (size_t i = 0; i < sizeof flood; i++) flood[i] = "a:\n"[i % 3];
	memcpy(flood, OK "b:\n", strlen(OK) + 3);
	for (size_t i = strlen(OK) + 3; i < sizeof flood; i++)
		flood[i] = "a:\n"[(i - strlen(OK)) % 3];
	is_number(parse(flood, sizeof flood, &reply), SPAMD_FAILED,
		  "endless fields");
}

static void fields(void)
{
	static const char header[] = "From x\n"
				     "X-Spam-Flag: YES\r\n"
				     "X-Spam-Status:Yes,\n\ttests=A,\r\n B\n"
				     ": no name\n"
				     "a b: a blank\n"
				     "\tits fold\n"
				     "Empty:\n"
				     "\n"
				     "Body: field\n";
	const char *at = header, *end = header + sizeof header - 1;
	struct spamd_field field;

	ok(spamd_next_field(&at, end, &field), "a field");
	is_bytes(field.name, field.name_length, "X-Spam-Flag", 11, "its name");
	is_bytes(field.value, field.length, "YES", 3, "and its value");
	ok(spamd_next_field(&at, end, &field), "a folded one");
	is_bytes(field.name, field.name_length, "X-Spam-Status", 13,
		 "its name");
	is_bytes(field.value, field.length, "Yes,\n\ttests=A,\r\n B", 18,
		 "its value has the folds");
	ok(spamd_next_field(&at, end, &field), "an empty one");
	is_bytes(field.name, field.name_length, "Empty", 5, "its name");
	is_number((long long)field.length, 0, "no value");
	ok(!spamd_next_field(&at, end, &field), "the header ends");
	at = end = header;
	ok(!spamd_next_field(&at, end, &field), "nothing has no field");
	at = header + 7;
	ok(!spamd_next_field(&at, header + 23, &field), "nor has a cut line");
}

int main(void)
{
	verdicts();
	bodies();
	failures();
	fields();
	return done_testing();
}
