/* Replies of servers, good ones and others.
   SPDX-License-Identifier: ISC */
#include "mail/smtp_reply.h"

#include <string.h>

#include "tap.h"

/* The lines have '\n' between them. */
static enum smtp_reply_state take(struct smtp_reply *reply, const char *lines)
{
	enum smtp_reply_state state = SMTP_REPLY_MORE;
	const char *text;

	*reply = (struct smtp_reply){ 0 };
	for (;;) {
		size_t length = strcspn(lines, "\n");

		state = smtp_reply_take(reply, lines, length, &text);
		if (state != SMTP_REPLY_MORE || !lines[length]) return state;
		lines += length + 1;
	}
}

static void test_whole_ones(void)
{
	static const struct {
		const char *lines;
		unsigned code;
		const char *text;
	} rows[] = {
		{ "250 ok", 250, "ok" },
		{ "250", 250, "" },
		{ "250 ", 250, "" },
		{ "354  go ahead ", 354, " go ahead " },
		{ "550 5.1.1 <x@y> unknown", 550, "5.1.1 <x@y> unknown" },
		{ "220-a\n220-b\n220 c", 220, "a b c" },
		{ "220-a\n220-\n220 c", 220, "a c" },
		{ "220-\n220 c", 220, "c" },
		{ "220-a\n220", 220, "a" },
		{ "550-5.7.1 one\n550 5.7.1 two", 550, "5.7.1 one two" },
		{ "550-5.7.1 one\n550 5.7.10", 550, "5.7.1 one" },
		{ "550-5.7.1\n550 5.7.1 two", 550, "5.7.1 two" },
		{ "550-one\n550 1.2.3.4 two", 550, "one 1.2.3.4 two" },
		{ "550-one\n550 5.7.1x", 550, "one 5.7.1x" },
		{ "250 a\rb\tc\033[1m\177\200", 250, "a?b?c?[1m??" },
		{ "599 odd", 599, "odd" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct smtp_reply reply;

		is_number(take(&reply, rows[i].lines), SMTP_REPLY_WHOLE,
			  "a whole reply");
		is_number(reply.code, rows[i].code, "the code");
		is_number(smtp_reply_class(&reply), rows[i].code / 100,
			  "the class");
		is_text(reply.text, rows[i].text, "the text");
		is_number((long long)reply.length,
			  (long long)strlen(reply.text), "its length");
	}
}

static void test_others(void)
{
	static const char *const bad[] = {
		"",
		"2",
		"25",
		"25 ok",
		"2 50",
		"ok",
		" 250 ok",
		"150 ok",
		"650 ok",
		"25O ok",
		"250\tok",
		"250ok",
		"250_ok",
		"2500",
		"+OK",
		"-ERR",
		"HTTP/1.1 ",
		"250-a\nb",
		"250-a\n550 b",
		"250-a\n251 b",
		"550-a\n250 b",
	};
	struct smtp_reply reply;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		is_number(take(&reply, bad[i]), SMTP_REPLY_BAD, "no reply");
	is_number(take(&reply, "250-a\n250-b"), SMTP_REPLY_MORE,
		  "there is more to come");
}

static void test_limits(void)
{
	char line[2000] = "250-";
	struct smtp_reply reply = { 0 };
	enum smtp_reply_state state = SMTP_REPLY_MORE;
	const char *text;
	unsigned lines = 0;

	memset(line + 4, 'x', sizeof line - 4);
	while (state == SMTP_REPLY_MORE && lines < 10000) {
		state = smtp_reply_take(&reply, line, sizeof line, &text);
		lines++;
	}
	is_number(state, SMTP_REPLY_BAD, "a reply without an end has one");
	is_number(lines, SMTP_REPLY_LINES + 1, "where it should");
	is_number((long long)strlen(reply.text), SMTP_REPLY_TEXT,
		  "its text is cut");
	is_text(reply.text + SMTP_REPLY_TEXT - 4, "x...", "as can be seen");
	reply = (struct smtp_reply){ 0 };
	memcpy(line, "250 ", 4);
	state = smtp_reply_take(&reply, line, SMTP_REPLY_TEXT + 4, &text);
	is_number(state, SMTP_REPLY_WHOLE, "a text of full length");
	is_text(reply.text + SMTP_REPLY_TEXT - 1, "x", "is not cut");
	state = smtp_reply_take(&(struct smtp_reply){ 0 }, "250 a\0b", 7,
				&text);
	is_number(state, SMTP_REPLY_WHOLE, "a NUL is a byte that is hidden");
}

static void test_enhanced_codes(void)
{
	static const struct {
		const char *text;
		size_t length;
	} rows[] = {
		{ "5.1.1", 5 },      { "5.1.1 x", 6 },  { "4.22.333 x", 9 },
		{ "2.0.0 ", 6 },     { "3.0.0 x", 0 },  { "5.1.1x", 0 },
		{ "5.1", 0 },        { "5.1.", 0 },     { "5..1", 0 },
		{ "5.1.1111 x", 0 }, { "", 0 },         { "5", 0 },
		{ "5.1.1.1 x", 0 },  { " 5.1.1 x", 0 }, { "55.1.1 x", 0 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		is_number((long long)smtp_reply_enhanced_code(
				  rows[i].text, strlen(rows[i].text)),
			  (long long)rows[i].length, rows[i].text);
}

int main(void)
{
	test_whole_ones();
	test_others();
	test_limits();
	test_enhanced_codes();
	return done_testing();
}
