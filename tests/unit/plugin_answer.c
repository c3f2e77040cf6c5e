/* What policy programs answer, line by line.
   SPDX-License-Identifier: ISC */
#include "mail/plugin_answer.h"

#include <string.h>

#include "mail/smtp_line.h"
#include "tap.h"

static const char *const names[] = {
	[PLUGIN_NOTHING] = "nothing",  [PLUGIN_BAD] = "bad",
	[PLUGIN_ADD_FIELD] = "field",  [PLUGIN_CHANGE_ADDRESS] = "address",
	[PLUGIN_SET] = "set",          [PLUGIN_UNSET] = "unset",
	[PLUGIN_PRINT] = "print",      [PLUGIN_REFUSE_MAIL] = "mail",
	[PLUGIN_REFUSE_RCPT] = "rcpt", [PLUGIN_REFUSE_DATA] = "data",
	[PLUGIN_STOP_ALL] = "stop",    [PLUGIN_NEXT] = "next",
	[PLUGIN_ACCEPT] = "accept",    [PLUGIN_DROP] = "drop",
	[PLUGIN_REFUSE] = "refuse",    [PLUGIN_HANG_UP] = "hang up",
};

/* "order text|" for each line. */
static void check(const char *answer, size_t length, const char *wanted,
		  const char *name)
{
	const char *at = answer, *end = answer + length;
	struct str result = { 0 }, text = { 0 };
	enum plugin_order order;

	while ((order = plugin_answer_next(&at, end, &text)) !=
	       PLUGIN_NOTHING) {
		str_append_text(&result, names[order]);
		if (order != PLUGIN_BAD && text.length) {
			str_append_byte(&result, ' ');
			str_append(&result, text.data, text.length);
		}
		str_append_byte(&result, '|');
	}
	is_bytes(result.length ? result.data : "", result.length, wanted,
		 strlen(wanted), name);
	str_free(&text);
	str_free(&result);
}

#define CHECK(answer, wanted, name)                                            \
	check(answer, sizeof(answer) - 1, wanted, name)

static void check_replies(void)
{
	CHECK("E550 no\n", "refuse 550 no|", "a refusal");
	CHECK("E450 later\nR421 go\n", "refuse 450 later|hang up 421 go|",
	      "two lines");
	CHECK("E550 no\r\n", "refuse 550 no|", "CR LF");
	CHECK("E550 no", "refuse 550 no|", "a last line without an end");
	CHECK("Eno\n", "refuse 550 no|", "no code");
	CHECK("E\n", "refuse 550 |", "no text");
	CHECK("E451\n", "refuse 451 |", "a code alone");
	CHECK("E250 ok\n", "refuse 550 250 ok|", "one that would accept");
	CHECK("E650 x\nE5500 x\n", "refuse 550 650 x|refuse 550 5500 x|",
	      "numbers that are no codes");
	CHECK("E550-more\n", "refuse 550 more|", "a refusal has an end");
	CHECK("P550 first\nP220-hello\n", "print 550-first|print 220-hello|",
	      "what is printed has none");
	CHECK("Phello\nP\nP354x\n", "bad|bad|bad|", "and needs a code");
	CHECK("LM550 m\nLR450 r\nLDd\n", "mail 550 m|rcpt 450 r|data 550 d|",
	      "later refusals");
	CHECK("L\nLX550 x\n", "bad|bad|", "and none of other commands");
	CHECK("E550 a\rb\0c\x1b\xe4\n", "refuse 550 a?b?c??|",
	      "no byte that is not printable");
}

static void check_others(void)
{
	CHECK("HX-A: b\n", "field X-A: b|", "a field");
	CHECK("HX-A:\tb\xe4\n", "field X-A:\tb\xe4|", "a tab, and 8 bits");
	CHECK("H\nH: b\nHno colon\nHX A: b\nH x: y\nHX: a\rb\n",
	      "bad|bad|bad|bad|bad|bad|", "what is no field");
	CHECK("Cu@example.org\nC\n", "address u@example.org|address|",
	      "an address, and none");
	CHECK("Ca\rb\nCa\0b\n", "bad|bad|", "no address");
	CHECK("SA_1=b c=d\nS_=\n", "set A_1=b c=d|set _=|", "variables");
	CHECK("S\nSA\nS=b\nS1=b\nSA B=c\nSA=\0\n", "bad|bad|bad|bad|bad|bad|",
	      "no variables");
	CHECK("UA_1\nU\nUA=\nUA B\n", "unset A_1|bad|bad|bad|", "names");
	CHECK("A\nN\nO\nD\n", "stop|next|accept|drop|", "words without text");
	CHECK("\n\r\nX\nsome words\n#\n", "", "other lines are passed over");
	CHECK("", "", "no line at all");
}

static void check_lengths(void)
{
	char answer[2000];
	const char *at = answer;
	struct str text = { 0 };

	memset(answer, 'x', sizeof answer);
	answer[0] = 'E';
	plugin_answer_next(&at, answer + sizeof answer, &text);
	ok(text.length == SMTP_REPLY_LIMIT, "a long reply is cut");
	at = answer;
	answer[0] = 'C';
	ok(plugin_answer_next(&at, answer + sizeof answer, &text) == PLUGIN_BAD,
	   "a long address is none");
	at = answer;
	memcpy(answer, "HX:", 3);
	ok(plugin_answer_next(&at, answer + sizeof answer, &text) == PLUGIN_BAD,
	   "a long field is none");
	str_free(&text);
}

int main(void)
{
	check_replies();
	check_others();
	check_lengths();
	return done_testing();
}
