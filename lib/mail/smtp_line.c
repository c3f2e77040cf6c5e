/* SPDX-License-Identifier: ISC */
#include "mail/smtp_line.h"

#include <string.h>

enum smtp_line_state smtp_line_take(struct smtp_line *line,
				    struct stream_in *in, size_t limit)
{
	char *text = in->data + in->start;
	size_t waiting = in->end - in->start;
	char *end = waiting ? memchr(text, '\n', waiting) : NULL;
	size_t length;
	bool too_long;

	if (!end) {
		if (waiting >= limit) line->dropping = true;
		if (line->dropping) in->start = in->end;
		return SMTP_LINE_PARTIAL;
	}
	length = (size_t)(end - text);
	in->start += length + 1;
	too_long = line->dropping || length >= limit;
	line->dropping = false;
	if (too_long) return SMTP_LINE_TOO_LONG;
	if (length > 0 && text[length - 1] == '\r') length--;
	if (memchr(text, '\0', length)) return SMTP_LINE_HAS_NUL;
	text[length] = '\0';
	line->text = text;
	line->length = length;
	return SMTP_LINE_WHOLE;
}

const char *smtp_line_cut_verb(char *line)
{
	char *blank = line + strcspn(line, " ");

	if (!*blank) return blank;
	*blank++ = '\0';
	return blank + strspn(blank, " ");
}

bool smtp_parameter_next(const char **text, struct smtp_parameter *parameter)
{
	const char *at = *text + strspn(*text, " ");
	size_t length = strcspn(at, " ");
	const char *equals = memchr(at, '=', length);

	*text = at + length;
	*parameter =
		(struct smtp_parameter){ .name = at, .name_length = length };
	if (equals) {
		parameter->name_length = (size_t)(equals - at);
		parameter->value = equals + 1;
		parameter->value_length = length - parameter->name_length - 1;
	}
	return length > 0;
}
