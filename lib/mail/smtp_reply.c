/* SPDX-License-Identifier: ISC */
#include "mail/smtp_reply.h"

#include <string.h>

enum {
	CODE_DIGITS = 3,
	CUT_MARK = 3, /* dots */
};

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static unsigned read_code(const char *line, size_t length)
{
	if (length < CODE_DIGITS || line[0] < '2' || line[0] > '5' ||
	    !is_digit(line[1]) || !is_digit(line[2]))
		return 0;
	return (unsigned)(line[0] - '0') * 100 +
	       (unsigned)(line[1] - '0') * 10 + (unsigned)(line[2] - '0');
}

size_t smtp_reply_enhanced_code(const char *text, size_t length)
{
	size_t at = 1;

	if (length == 0 || (*text != '2' && *text != '4' && *text != '5'))
		return 0;
	for (int part = 0; part < 2; part++) {
		size_t digits = 0;

		if (at == length || text[at] != '.') return 0;
		at++;
		while (at + digits < length && is_digit(text[at + digits]))
			digits++;
		if (digits == 0 || digits > 3) return 0;
		at += digits;
	}
	if (at == length) return at;
	return text[at] == ' ' ? at + 1 : 0;
}

static void put(struct smtp_reply *reply, char byte)
{
	if (reply->length < SMTP_REPLY_TEXT) {
		reply->text[reply->length++] =
			byte >= ' ' && byte < 127 ? byte : '?';
		return;
	}
	memset(reply->text + SMTP_REPLY_TEXT - CUT_MARK, '.', CUT_MARK);
}

static void add_text(struct smtp_reply *reply, const char *text, size_t length)
{
	size_t code = 0;

	if (reply->length > 0) code = smtp_reply_enhanced_code(text, length);
	text += code;
	length -= code;
	if (length > 0 && reply->length > 0) put(reply, ' ');
	for (size_t i = 0; i < length; i++) put(reply, text[i]);
	reply->text[reply->length] = '\0';
}

enum smtp_reply_state smtp_reply_take(struct smtp_reply *reply,
				      const char *line, size_t length,
				      const char **text)
{
	unsigned code = read_code(line, length);
	char mark = length > CODE_DIGITS ? line[CODE_DIGITS] : ' ';

	if (code == 0 || (mark != ' ' && mark != '-')) return SMTP_REPLY_BAD;
	if (reply->lines > 0 && code != reply->code) return SMTP_REPLY_BAD;
	if (reply->lines++ == SMTP_REPLY_LINES) return SMTP_REPLY_BAD;
	reply->code = code;
	*text = line + CODE_DIGITS + (length > CODE_DIGITS);
	add_text(reply, *text, length - (size_t)(*text - line));
	return mark == '-' ? SMTP_REPLY_MORE : SMTP_REPLY_WHOLE;
}

unsigned smtp_reply_class(const struct smtp_reply *reply)
{
	return reply->code / 100;
}
