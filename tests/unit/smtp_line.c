/* Command lines out of a stream's buffer, in every cut.
   SPDX-License-Identifier: ISC */
#include "mail/smtp_line.h"

#include <string.h>

#include "base/str.h"
#include "tap.h"

enum { LIMIT = 16 };

/* What the lines of `input` give when it arrives `piece` bytes at a time: each
   line with a '|' behind it, "LONG|" or "NUL|". */
static const char *lines_of(const char *input, size_t length, size_t piece,
			    struct str *result)
{
	char buffer[32];
	struct stream_in in = { .data = buffer, .size = sizeof buffer };
	struct smtp_line line = { 0 };
	enum smtp_line_state state;

	str_clear(result);
	for (size_t at = 0; at < length; at += piece) {
		size_t n = length - at < piece ? length - at : piece;

		if (in.end + n > in.size) {
			memmove(buffer, buffer + in.start, in.end - in.start);
			in.end -= in.start;
			in.start = 0;
		}
		memcpy(buffer + in.end, input + at, n);
		in.end += n;
		while ((state = smtp_line_take(&line, &in, LIMIT)) !=
		       SMTP_LINE_PARTIAL) {
			str_append_text(result,
					state == SMTP_LINE_WHOLE ? line.text
					: state == SMTP_LINE_TOO_LONG ? "LONG"
								      : "NUL");
			str_append_byte(result, '|');
		}
	}
	return result->data;
}

#define INPUT(text) text, sizeof(text) - 1

static const struct {
	const char *input;
	size_t length;
	const char *lines;
} inputs[] = {
	{ INPUT("NOOP\r\n"), "NOOP|" },
	{ INPUT("NOOP\n"), "NOOP|" },
	{ INPUT("NOOP\r\r\n"), "NOOP\r|" },
	{ INPUT("\r\n\n"), "||" },
	{ INPUT("A\r\nB\r\nC"), "A|B|" },
	{ INPUT("A\0B\r\nC\r\n"), "NUL|C|" },
	{ INPUT("12345678901234\r\nA\n"), "12345678901234|A|" },
	{ INPUT("123456789012345\r\nA\n"), "LONG|A|" },
	{ INPUT("123456789012345\nA\n"), "123456789012345|A|" },
	{ INPUT("1234567890123456\nA\n"), "LONG|A|" },
	{ INPUT("1234567890123456789012345678901234567890\r\nA\nB\n"),
	  "LONG|A|B|" },
	{ INPUT("1234567890\0abcdefgh\0\r\nA\n"), "LONG|A|" },
	{ INPUT("12345678901234567890\r\n12345678901234567890\r\nA\n"),
	  "LONG|LONG|A|" },
};

static void cut_lines(void)
{
	struct str result = { 0 };

	for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
		for (size_t piece = 1; piece <= 8; piece++)
			is_text(lines_of(inputs[i].input, inputs[i].length,
					 piece, &result),
				inputs[i].lines, "lines in every cut");
	str_free(&result);
}

static void cut_verbs(void)
{
	char mail[] = "MAIL   FROM:<a@b> X", noop[] = "NOOP", empty[] = "";
	char blank[] = " NOOP";

	is_text(smtp_line_cut_verb(mail), "FROM:<a@b> X", "an argument");
	is_text(mail, "MAIL", "its verb");
	is_text(smtp_line_cut_verb(noop), "", "no argument");
	is_text(noop, "NOOP", "a verb alone");
	is_text(smtp_line_cut_verb(empty), "", "an empty line");
	is_text(smtp_line_cut_verb(blank), "NOOP", "a blank before");
	is_text(blank, "", "is an empty verb");
}

static void take_parameters(void)
{
	const char *text = "  SIZE=10 X  BODY=a=b =";
	struct smtp_parameter p;

	ok(smtp_parameter_next(&text, &p), "a parameter");
	is_bytes(p.name, p.name_length, "SIZE", 4, "its name");
	is_bytes(p.value, p.value_length, "10", 2, "its value");
	ok(smtp_parameter_next(&text, &p), "one without a value");
	is_bytes(p.name, p.name_length, "X", 1, "its name");
	ok(!p.value, "no value");
	ok(smtp_parameter_next(&text, &p), "one with two =");
	is_bytes(p.value, p.value_length, "a=b", 3, "the first one counts");
	ok(smtp_parameter_next(&text, &p), "one that is an = only");
	ok(p.name_length == 0 && p.value_length == 0, "is empty");
	ok(!smtp_parameter_next(&text, &p), "the end");
}

int main(void)
{
	cut_lines();
	cut_verbs();
	take_parameters();
	return done_testing();
}
