/* SPDX-License-Identifier: ISC */
#include "mail/plugin_answer.h"

#include <stdbool.h>
#include <string.h>

#include "mail/address.h"
#include "mail/smtp_line.h"

static const char usual_code[] = "550 ";

enum { CODE_DIGITS = 3 };

struct line {
	const char *text;
	size_t length;
};

/* The last one may have no end. */
static struct line take_line(const char **at, const char *end)
{
	struct line line = { .text = *at };
	const char *stop = memchr(*at, '\n', (size_t)(end - *at));

	*at = stop ? stop + 1 : end;
	line.length = (size_t)((stop ? stop : end) - line.text);
	if (line.length > 0 && line.text[line.length - 1] == '\r')
		line.length--;
	return line;
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_control(char byte)
{
	return (unsigned char)byte < 32 || byte == 127;
}

/* ---- replies ---- */

static bool has_code(const struct line *line, char lowest)
{
	const char *text = line->text;

	return line->length >= CODE_DIGITS && text[0] >= lowest &&
	       text[0] <= '5' && is_digit(text[1]) && is_digit(text[2]) &&
	       (line->length == CODE_DIGITS || text[CODE_DIGITS] == ' ' ||
		text[CODE_DIGITS] == '-');
}

/* `separator` is what stands behind the code. */
static void make_reply(struct str *reply, const struct line *line,
		       char separator)
{
	for (size_t i = 0; i < line->length; i++) {
		char byte = line->text[i];

		if (reply->length == SMTP_REPLY_LIMIT) break;
		str_append_byte(reply, byte < 32 || byte > 126 ? '?' : byte);
	}
	if (reply->length == CODE_DIGITS) str_append_byte(reply, separator);
	reply->data[CODE_DIGITS] = separator;
}

static enum plugin_order take_refusal(struct str *reply,
				      const struct line *line,
				      enum plugin_order order)
{
	if (!has_code(line, '4')) str_append_text(reply, usual_code);
	make_reply(reply, line, ' ');
	return order;
}

static enum plugin_order take_print(struct str *reply, const struct line *line)
{
	if (!has_code(line, '2')) return PLUGIN_BAD;
	make_reply(reply, line, '-');
	return PLUGIN_PRINT;
}

static enum plugin_order take_later(struct str *reply, const struct line *line)
{
	struct line rest = { line->text + 1, line->length - 1 };

	if (line->length == 0) return PLUGIN_BAD;
	switch (*line->text) {
	case 'M': return take_refusal(reply, &rest, PLUGIN_REFUSE_MAIL);
	case 'R': return take_refusal(reply, &rest, PLUGIN_REFUSE_RCPT);
	case 'D': return take_refusal(reply, &rest, PLUGIN_REFUSE_DATA);
	default: return PLUGIN_BAD;
	}
}

/* ---- others ---- */

/* RFC 5322 section 2.2: a name of printable characters, and a colon. */
static enum plugin_order take_field(struct str *field, const struct line *line)
{
	const char *text = line->text;
	size_t name = 0;

	while (name < line->length && text[name] > 32 && text[name] < 127 &&
	       text[name] != ':')
		name++;
	if (name == 0 || name == line->length || text[name] != ':' ||
	    line->length > PLUGIN_FIELD_LIMIT)
		return PLUGIN_BAD;
	for (size_t i = name; i < line->length; i++)
		if (is_control(text[i]) && text[i] != '\t') return PLUGIN_BAD;
	str_append(field, text, line->length);
	return PLUGIN_ADD_FIELD;
}

static enum plugin_order take_address(struct str *address,
				      const struct line *line)
{
	if (line->length >= ADDRESS_LIMIT) return PLUGIN_BAD;
	for (size_t i = 0; i < line->length; i++)
		if (is_control(line->text[i])) return PLUGIN_BAD;
	str_append(address, line->text, line->length);
	return PLUGIN_CHANGE_ADDRESS;
}

static size_t name_length(const struct line *line)
{
	size_t n = 0;

	while (n < line->length &&
	       (line->text[n] == '_' ||
		(line->text[n] >= 'A' && line->text[n] <= 'Z') ||
		(line->text[n] >= 'a' && line->text[n] <= 'z') ||
		(n > 0 && is_digit(line->text[n]))))
		n++;
	return n;
}

static enum plugin_order take_variable(struct str *variable,
				       const struct line *line)
{
	size_t name = name_length(line);

	if (name == 0 || name == line->length || line->text[name] != '=' ||
	    memchr(line->text, '\0', line->length))
		return PLUGIN_BAD;
	str_append(variable, line->text, line->length);
	return PLUGIN_SET;
}

static enum plugin_order take_name(struct str *variable,
				   const struct line *line)
{
	if (line->length == 0 || name_length(line) != line->length)
		return PLUGIN_BAD;
	str_append(variable, line->text, line->length);
	return PLUGIN_UNSET;
}

static enum plugin_order take(struct str *text, const struct line *line)
{
	struct line rest = { line->text + 1, line->length - 1 };

	switch (*line->text) {
	case 'H': return take_field(text, &rest);
	case 'C': return take_address(text, &rest);
	case 'S': return take_variable(text, &rest);
	case 'U': return take_name(text, &rest);
	case 'P': return take_print(text, &rest);
	case 'L': return take_later(text, &rest);
	case 'A': return PLUGIN_STOP_ALL;
	case 'N': return PLUGIN_NEXT;
	case 'O': return PLUGIN_ACCEPT;
	case 'D': return PLUGIN_DROP;
	case 'E': return take_refusal(text, &rest, PLUGIN_REFUSE);
	case 'R': return take_refusal(text, &rest, PLUGIN_HANG_UP);
	default: return PLUGIN_NOTHING;
	}
}

enum plugin_order plugin_answer_next(const char **at, const char *end,
				     struct str *text)
{
	enum plugin_order order = PLUGIN_NOTHING;

	while (*at < end && order == PLUGIN_NOTHING) {
		struct line line = take_line(at, end);

		str_clear(text);
		if (line.length > 0) order = take(text, &line);
	}
	return order;
}
