/* SPDX-License-Identifier: ISC */
#include "mail/mime_field.h"

#include <string.h>
#include <strings.h>

#include "base/parse.h"

enum { QUARTER = MIME_FIELD_VALUE / 4 };

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r';
}

static void begin_value(struct mime_field *field)
{
	field->in_name = false;
	field->was_quoted = false;
	field->seen_blank = field->seen_quote = field->seen_nul = false;
	field->is_cut = false;
	field->raw_length = 0;
}

static void begin_name(struct mime_field *field)
{
	field->in_name = true;
	field->name_length = 0;
}

void mime_field_start(struct mime_field *field, enum mime_reading reading)
{
	field->reading = reading;
	field->in_quotes = field->is_escaped = field->is_folded = false;
	field->is_given = false;
	field->comments = 0;
	field->name_length = 0;
	begin_value(field);
}

/* The parameter as far as it has come; false: there is none. */
static bool found(struct mime_field *field, bool is_whole)
{
	size_t length = field->raw_length;

	if (field->in_name) return false;
	while (length > 0 && is_blank(field->bytes[length - 1])) length--;
	field->name[field->name_length] = '\0';
	field->value = field->bytes;
	field->value_length = length;
	field->is_whole = is_whole;
	return is_whole || length > 0;
}

/* Of "filename*007" some readers make a 7. */
static bool is_number_zero(const struct mime_field *field)
{
	size_t length = field->name_length;

	return length > 1 && field->name[length - 1] == '0' &&
	       field->name[length - 2] == '*';
}

static void add_to_name(struct mime_field *field, char byte)
{
	/* Blanks, and what some readers take for one. */
	if (byte <= ' ' || byte > '~') return;
	if (byte >= '0' && byte <= '9' && is_number_zero(field))
		field->name_length--;
	/* What is too long is none that counts. */
	if (field->name_length == sizeof field->name - 1) field->name[0] = '?';
	else field->name[field->name_length++] = parse_lower(byte);
}

/* Blanks at its beginning do not count. */
static void add_to_value(struct mime_field *field, char byte)
{
	if (field->raw_length == 0 && is_blank(byte) && !field->in_quotes)
		return;
	if (field->raw_length == sizeof field->bytes) {
		memmove(field->bytes + QUARTER,
			field->bytes + sizeof field->bytes - QUARTER, QUARTER);
		field->raw_length = 2 * QUARTER;
		field->is_cut = true;
	}
	field->bytes[field->raw_length++] = byte;
}

static void add(struct mime_field *field, char byte)
{
	if (field->in_name) add_to_name(field, byte);
	else add_to_value(field, byte);
}

/* The first time only, so that no value is reported again and again. */
static bool may_end(struct mime_field *field, bool *seen)
{
	if (*seen || field->in_name || field->raw_length == 0) return false;
	*seen = true;
	return found(field, false);
}

/* Both are bytes that some readers end a value at. */
static bool read_blank(struct mime_field *field, char byte)
{
	bool is_found = false;

	if (byte == '\0') return may_end(field, &field->seen_nul);
	if (!field->in_quotes && !field->was_quoted)
		is_found = may_end(field, &field->seen_blank);
	add(field, byte);
	return is_found;
}

static bool read_quote(struct mime_field *field)
{
	field->in_quotes = !field->in_quotes;
	if (field->in_quotes) field->was_quoted = true;
	return !field->in_quotes && may_end(field, &field->seen_quote);
}

static bool read_mark(struct mime_field *field, char byte)
{
	if (byte == ';') {
		field->in_quotes = false;
		if (field->in_name) begin_name(field);
		field->is_given = !field->in_name;
		return found(field, true);
	}
	if (field->in_name) begin_value(field);
	else add(field, byte);
	return false;
}

static void read_comment(struct mime_field *field, char byte)
{
	if (field->is_escaped) field->is_escaped = false;
	else if (byte == '\\') field->is_escaped = true;
	else if (byte == '(') field->comments++;
	else if (byte == ')') field->comments--;
}

static bool read_by_rule(struct mime_field *field, char byte)
{
	if (byte == '\n') return false;
	if (field->comments > 0) {
		read_comment(field, byte);
		return false;
	}
	if (field->is_escaped) {
		field->is_escaped = false;
		add(field, byte);
		return false;
	}
	if (byte == '"') return read_quote(field);
	if (byte == '\0' || is_blank(byte)) return read_blank(field, byte);
	if (field->in_quotes && byte == '\\') {
		field->is_escaped = true;
		return false;
	}
	if (!field->in_quotes && byte == '(') {
		field->comments++;
		return false;
	}
	if (!field->in_quotes && (byte == ';' || byte == '='))
		return read_mark(field, byte);
	add(field, byte);
	return false;
}

static bool read_by_semicolon(struct mime_field *field, char byte)
{
	if (byte == '\n') {
		field->is_folded = true;
		return false;
	}
	if (field->is_folded && is_blank(byte)) return false;
	field->is_folded = false;
	if (byte == '"') return read_quote(field);
	if (byte == '\0' || is_blank(byte)) return read_blank(field, byte);
	if (byte == ';' || byte == '=') return read_mark(field, byte);
	add(field, byte);
	return false;
}

bool mime_field_read(struct mime_field *field, const char **at, const char *end)
{
	while (*at < end) {
		char byte = *(*at)++;

		if (field->is_given) {
			field->is_given = false;
			begin_name(field);
		}
		if (field->reading == MIME_BY_RULE
			    ? read_by_rule(field, byte)
			    : read_by_semicolon(field, byte))
			return true;
	}
	return false;
}

bool mime_field_end(struct mime_field *field)
{
	bool is_found = !field->is_given && found(field, true);

	field->is_given = true;
	return is_found;
}

bool mime_field_is(const struct mime_field *field, const char *word)
{
	size_t length = strlen(word);

	return field->value_length >= length &&
	       strncasecmp(field->value, word, length) == 0 &&
	       (field->value_length == length ||
		strchr(" \t/;", field->value[length]));
}
