/* SPDX-License-Identifier: ISC */
#include "enhanced.h"

#include <stdbool.h>
#include <string.h>

#include "mail/smtp_line.h"
#include "replies.h"

enum {
	NUMBER = 3, /* digits of a reply's own code */
	PREFIX = NUMBER + 1,
	CODE_LIMIT = 9, /* "5.999.999" */
};

struct row {
	const char *begins;
	const char *code;
};

/* RFC 4954 section 6 has these, whatever the text says. */
static const struct row of_auth[] = {
	{ REPLY_AUTH_DONE, "2.7.0" },
	{ REPLY_AUTH_FAILED, "5.7.8" },
};

/* Of texts that say nothing: a text, then a number, then its class. */
static const struct row usual[] = {
	{ REPLY_NO_MX, "5.1.8" },
	{ REPLY_NO_BOUNCES, "5.7.1" },
	{ REPLY_SENDER_WITHOUT_AT, "5.1.7" },
	{ REPLY_SENDER_WITHOUT_PART, "5.1.7" },
	{ REPLY_SENDER_WITHOUT_DOT, "5.1.7" },
	{ REPLY_NO_MAILBOX, "5.1.1" },
	{ REPLY_CANNOT_VERIFY, "4.1.1" },
	{ REPLY_BARE_LF, "4.5.2" },
	{ "421", "4.3.0" },
	{ "451", "4.3.0" },
	{ "452", "4.3.0" },
	{ "500", "5.5.2" },
	{ "501", "5.5.4" },
	{ "502", "5.5.1" },
	{ "503", "5.5.1" },
	{ "504", "5.5.4" },
	{ "530", "5.7.0" },
	{ "538", "5.7.11" },
	{ "550", "5.7.1" },
	{ "553", "5.7.1" },
	{ "554", "5.7.1" },
	{ "2", "2.0.0" },
	{ "4", "4.0.0" },
	{ "5", "5.0.0" },
};

struct code {
	char text[CODE_LIMIT + 1];
	size_t from_end; /* bytes at the text's end that said it */
};

static size_t count_digits(const char *text, size_t length)
{
	size_t n = 0;

	while (n < length && text[n] >= '0' && text[n] <= '9') n++;
	return n;
}

/* The length of "5.7.1" at the beginning, of the class that is asked for; 0. */
static size_t code_length(const char *text, size_t length, char class)
{
	size_t at = 1;

	if (length == 0 || *text != class) return 0;
	for (int part = 0; part < 2; part++) {
		size_t digits;

		if (at == length || text[at] != '.') return 0;
		at++;
		digits = count_digits(text + at, length - at);
		if (digits == 0 || digits > 3) return 0;
		at += digits;
	}
	return at;
}

static void set_code(struct code *code, const char *text, size_t length)
{
	memcpy(code->text, text, length);
	code->text[length] = '\0';
}

/* " (#5.7.1)"; some texts have it without the '#'. */
static bool find_at_end(struct code *code, const char *line, size_t length)
{
	size_t at = length, found;

	if (length <= PREFIX || line[length - 1] != ')') return false;
	while (at > PREFIX && line[at - 1] != '(') at--;
	if (at <= PREFIX) return false;
	code->from_end = length - at + 1;
	if (line[at] == '#') at++;
	found = code_length(line + at, length - 1 - at, *line);
	if (found == 0 || at + found != length - 1) {
		code->from_end = 0;
		return false;
	}
	if (line[length - code->from_end - 1] == ' ') code->from_end++;
	set_code(code, line + at, found);
	return true;
}

static bool look_up(struct code *code, const struct row *rows, size_t count,
		    const char *line, size_t length)
{
	for (size_t i = 0; i < count; i++) {
		size_t beginning = strlen(rows[i].begins);

		if (beginning > length ||
		    memcmp(rows[i].begins, line, beginning) != 0)
			continue;
		set_code(code, rows[i].code, strlen(rows[i].code));
		return true;
	}
	return false;
}

/* Of the last line, which is where a text has it. */
static void choose(struct code *code, const char *line, size_t length,
		   const char *given)
{
	bool has_one = find_at_end(code, line, length);

	if (look_up(code, of_auth, sizeof of_auth / sizeof *of_auth, line,
		    length) ||
	    has_one)
		return;
	if (given) set_code(code, given, strlen(given));
	else look_up(code, usual, sizeof usual / sizeof *usual, line, length);
}

static int put_line(struct stream_out *out, const char *line, size_t length,
		    const struct code *code)
{
	const char *text = line + PREFIX;
	size_t code_room = strlen(code->text) + 1, found;

	if (length < PREFIX) return 0;
	length -= PREFIX;
	found = code_length(text, length, *line);
	/* A queue program or a plugin may have said it already. */
	if (found && (found == length || text[found] == ' ')) code_room = 0;
	if (length > SMTP_REPLY_LIMIT - PREFIX - code_room)
		length = SMTP_REPLY_LIMIT - PREFIX - code_room;
	if (stream_put(out, line, PREFIX) < 0) return -1;
	if (code_room && (stream_put(out, code->text, code_room - 1) < 0 ||
			  stream_put(out, " ", 1) < 0))
		return -1;
	if (stream_put(out, text, length) < 0) return -1;
	return stream_put(out, "\r\n", 2);
}

int enhanced_put(struct stream_out *out, const char *reply, size_t length,
		 const char *given)
{
	const char *end = reply + length, *last = end, *line_end;
	struct code code = { .text = "" };

	/* "354 go ahead" and the questions of AUTH have none. */
	if (length < PREFIX || *reply == '3') {
		if (stream_put(out, reply, length) < 0) return -1;
		return stream_put(out, "\r\n", 2);
	}
	while (last > reply && last[-1] != '\n') last--;
	choose(&code, last, (size_t)(end - last), given);
	for (const char *line = reply; line < end; line = line_end + 2) {
		size_t cut = 0;

		line_end = line;
		while (line_end < end && *line_end != '\r') line_end++;
		if (line == last && line_end == end) cut = code.from_end;
		if (put_line(out, line, (size_t)(line_end - line) - cut,
			     &code) < 0)
			return -1;
	}
	return 0;
}
