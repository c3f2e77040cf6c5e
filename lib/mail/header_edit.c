/* SPDX-License-Identifier: ISC */
#include "mail/header_edit.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

/* More blanks than these in a row are dropped: so each line of a folded field
   has something to see in it. */
enum { BLANKS_LIMIT = 64, READ_AT_ONCE = 1024 };

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

/* RFC 5322 section 3.6.8. */
static bool is_of_name(char byte)
{
	return byte > 32 && byte < 127 && byte != ':';
}

/* ---- what is there ---- */

/* A line with those that are folded to it. */
struct field {
	size_t start, end; /* behind the last line end */
	size_t name;       /* bytes; 0: it is no field */
	size_t value;      /* begins here */
};

static size_t line_end(const struct str *text, size_t at)
{
	const char *end = memchr(text->data + at, '\n', text->length - at);

	return end ? (size_t)(end - text->data) + 1 : text->length;
}

/* Blanks before the colon are of old: RFC 5322 section 4.5. */
static void find_name(const struct str *text, struct field *field)
{
	size_t at = field->start;

	while (at < field->end && is_of_name(text->data[at])) at++;
	field->name = at - field->start;
	while (at < field->end && is_blank(text->data[at])) at++;
	if (at == field->end || text->data[at] != ':') field->name = 0;
	field->value = at + 1;
}

/* The one that begins at `at`; false at the end. */
static bool read_field(const struct str *text, size_t at, struct field *field)
{
	if (at >= text->length) return false;
	field->start = at;
	do at = line_end(text, at);
	while (at < text->length && is_blank(text->data[at]));
	field->end = at;
	find_name(text, field);
	return true;
}

static bool has_name(const struct str *text, const struct field *field,
		     const char *name)
{
	const char *here = text->data + field->start;
	size_t length = strlen(name);

	if (length > 0 && name[length - 1] == '*')
		return field->name >= length - 1 &&
		       strncasecmp(here, name, length - 1) == 0 &&
		       field->name > 0;
	return field->name == length && length > 0 &&
	       strncasecmp(here, name, length) == 0;
}

static size_t count_name(const struct header_edit *edit, const char *name)
{
	size_t at = edit->front, count = 0;
	struct field field;

	for (; read_field(&edit->text, at, &field); at = field.end)
		if (has_name(&edit->text, &field, name)) count++;
	return count;
}

/* From the top, in place of from the end; 0 when there are not so many. */
static size_t number_from_top(const struct header_edit *edit, const char *name,
			      long number)
{
	size_t count, back;

	if (number > 0) return (size_t)number;
	count = count_name(edit, name);
	back = (size_t)0 - (size_t)number;
	return back <= count ? count - back + 1 : 0;
}

static bool find_field(const struct header_edit *edit, const char *name,
		       long number, struct field *field)
{
	size_t at = edit->front, wanted = number_from_top(edit, name, number);

	if (wanted == 0) return false;
	for (; read_field(&edit->text, at, field); at = field->end)
		if (has_name(&edit->text, field, name) && --wanted == 0)
			return true;
	return false;
}

/* ---- taking ---- */

/* The line at `at` ends the header, if all of it is there. */
static bool is_empty_line(const struct str *text, size_t at)
{
	if (at < text->length && text->data[at] == '\r') at++;
	return at < text->length && text->data[at] == '\n';
}

/* Cuts the text at the empty line; `*at` is the beginning of the first line that
   has not been looked at. False when it is not among what is there. */
static bool cut_at_empty_line(struct str *text, size_t *at)
{
	for (;;) {
		size_t end;

		if (is_empty_line(text, *at)) {
			text->length = *at;
			text->data[*at] = '\0';
			return true;
		}
		end = line_end(text, *at);
		if (end == text->length) return false;
		*at = end;
	}
}

static bool is_mbox_line(const struct str *text)
{
	return strncmp(text->data, "From ", 5) == 0 ||
	       strncmp(text->data, ">From ", 6) == 0;
}

/* Without a field on top there is no header, unless an empty line says that it
   has none. */
static void look_at_top(struct header_edit *edit, bool has_empty_line)
{
	struct str *text = &edit->text;
	struct field field;

	/* "From : me" is a field. */
	if (read_field(text, 0, &field) && field.name == 0 &&
	    is_mbox_line(text))
		edit->front = line_end(text, 0);
	if (read_field(text, edit->front, &field))
		edit->is_bare = field.name == 0;
	else edit->is_bare = !has_empty_line;
	if (edit->is_bare) text->length = edit->front;
	edit->old = edit->untouched = text->length;
}

/* A little at a time: most headers are short, and messages are not. */
static bool read_some(struct str *text, size_t *at, const char *bytes,
		      size_t length)
{
	while (length > 0 && text->length <= HEADER_EDIT_LIMIT) {
		size_t step = length < READ_AT_ONCE ? length : READ_AT_ONCE;

		str_append(text, bytes, step);
		if (cut_at_empty_line(text, at)) return true;
		bytes += step;
		length -= step;
	}
	return false;
}

enum header_edit_state header_edit_take(struct header_edit *edit,
					const struct stage_message *message)
{
	struct str *text = &edit->text;
	size_t length, at = 0, read = 0;
	bool found = false, is_long;

	str_reserve(text, 0);
	while (!found && text->length <= HEADER_EDIT_LIMIT) {
		const char *bytes = stage_message_at(message, read, &length);

		if (!bytes) return HEADER_EDIT_FAILED;
		if (length == 0) break;
		found = read_some(text, &at, bytes, length);
		read += length;
	}
	is_long = text->length > HEADER_EDIT_LIMIT;
	look_at_top(edit, found);
	/* The lines of a body that goes without a header may be any length. */
	if (is_long && (!edit->is_bare || edit->front > 0))
		return HEADER_EDIT_TOO_LONG;
	return HEADER_EDIT_READY;
}

/* ---- changing ---- */

/* What stands from `start` to `end` gives way to the bytes. */
static void put_in_place(struct header_edit *edit, size_t start, size_t end,
			 const struct str *bytes)
{
	struct str *text = &edit->text;
	size_t behind = text->length - end;

	if (behind < edit->untouched) edit->untouched = behind;
	if (bytes->length) str_reserve(text, bytes->length);
	memmove(text->data + start + bytes->length, text->data + end,
		behind + 1);
	if (bytes->length)
		memcpy(text->data + start, bytes->data, bytes->length);
	text->length = start + bytes->length + behind;
	edit->is_changed = true;
}

/* All of the name from `from` on. */
static size_t remove_all(struct header_edit *edit, const char *name,
			 size_t from)
{
	struct str *text = &edit->text;
	size_t at = from, to = from, count = 0, behind = text->length;
	struct field field;

	for (; read_field(text, at, &field); at = field.end) {
		if (has_name(text, &field, name)) {
			behind = text->length - field.end;
			count++;
			continue;
		}
		memmove(text->data + to, text->data + at, field.end - at);
		to += field.end - at;
	}
	if (count == 0) return 0;
	if (behind < edit->untouched) edit->untouched = behind;
	text->length = to;
	text->data[to] = '\0';
	edit->is_changed = true;
	return count;
}

size_t header_edit_remove(struct header_edit *edit, const char *name,
			  long number)
{
	static const struct str nothing;
	struct field field;

	/* What would be a field for some readers is one for none of them below
	   an empty line. */
	if (edit->is_bare) edit->is_changed = true;
	if (number == HEADER_ALL) return remove_all(edit, name, edit->front);
	if (!find_field(edit, name, number, &field)) return 0;
	put_in_place(edit, field.start, field.end, &nothing);
	return 1;
}

/* ---- writing a field ---- */

bool header_edit_is_name(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < length; i++)
		if (!is_of_name(name[i])) return false;
	return length > 0 && length <= HEADER_NAME_LIMIT &&
	       name[length - 1] != '*';
}

struct writer {
	struct str field;
	size_t line; /* begins here */
	size_t seen; /* the first byte of it that is no blank; SIZE_MAX: none */
	size_t blanks; /* in a row, up to here */
};

static void break_line(struct writer *writer)
{
	writer->line = writer->field.length;
	writer->seen = SIZE_MAX;
	writer->blanks = 0;
}

/* The line is full: it is broken before its last blank, or else here. */
static void fold(struct writer *writer)
{
	struct str *field = &writer->field;
	size_t at = field->length - 1;

	while (at > writer->line && !is_blank(field->data[at])) at--;
	if (at <= writer->seen) {
		str_append_byte(field, '\n');
		break_line(writer);
		str_append_byte(field, '\t');
		return;
	}
	str_append_byte(field, '\0');
	memmove(field->data + at + 1, field->data + at, field->length - 1 - at);
	field->data[at] = '\n';
	writer->line = at + 1;
	writer->seen = at + 2 < field->length ? at + 2 : SIZE_MAX;
}

static void write_byte(struct writer *writer, char byte)
{
	struct str *field = &writer->field;

	if (is_blank(byte)) {
		if (++writer->blanks > BLANKS_LIMIT) return;
	} else {
		writer->blanks = 0;
	}
	if (field->length - writer->line == HEADER_LINE_LIMIT) fold(writer);
	if (!is_blank(byte) && writer->seen == SIZE_MAX)
		writer->seen = field->length;
	str_append_byte(field,
			(byte >= 0 && byte < ' ' && byte != '\t') || byte == 127
				? '?'
				: byte);
}

static void write_line_end(struct writer *writer)
{
	struct str *field = &writer->field;

	while (field->length > 0 && is_blank(field->data[field->length - 1]))
		field->length--;
	str_append_byte(field, '\n');
	break_line(writer);
}

/* The first byte from `at` on that can be seen. */
static size_t skip_space(const char *value, size_t at, size_t length)
{
	while (at < length &&
	       (is_blank(value[at]) || value[at] == '\n' || value[at] == '\r'))
		at++;
	return at;
}

/* A line of blanks alone would be the end of the header to some readers, so the
   line ends between two words are one, followed by the last one's blanks. */
static void write_value(struct writer *writer, const char *value, size_t length)
{
	size_t at = skip_space(value, 0, length);

	while (length > at && skip_space(value, length - 1, length) == length)
		length--;
	while (at < length) {
		size_t next = skip_space(value, at, length), blanks = next;

		while (blanks > at && is_blank(value[blanks - 1])) blanks--;
		if (memchr(value + at, '\n', next - at)) {
			write_line_end(writer);
			if (blanks == next) write_byte(writer, '\t');
			at = blanks;
		}
		for (; at < next; at++)
			write_byte(writer, value[at] == '\r' ? ' ' : value[at]);
		write_byte(writer, value[at++]);
	}
}

static struct str make_field(const char *name, const char *value, size_t length)
{
	struct writer writer = { 0 };

	str_append_text(&writer.field, name);
	str_append_text(&writer.field, ": ");
	write_value(&writer, value, length);
	write_line_end(&writer);
	return writer.field;
}

/* Where the fields end: at the end of the header, or at a line in it that is no
   field, below which some readers see none. */
static size_t count_fields(const struct header_edit *edit)
{
	size_t at = edit->front, count = 0;
	struct field field;

	while (read_field(&edit->text, at, &field) && field.name > 0) {
		at = field.end;
		count++;
	}
	return count;
}

/* Below so many fields. */
static size_t place_below(const struct header_edit *edit, size_t number)
{
	size_t at = edit->front;
	struct field field;

	for (; number > 0; number--) {
		if (!read_field(&edit->text, at, &field) || field.name == 0)
			break;
		at = field.end;
	}
	return at;
}

static size_t find_place(const struct header_edit *edit, long place)
{
	size_t count, below;

	if (place >= 0) return place_below(edit, (size_t)place);
	count = count_fields(edit);
	below = (size_t)0 - (size_t)place - 1;
	return place_below(edit, below < count ? count - below : 0);
}

/* The message may end in its header, without a line end. */
static size_t end_last_line(struct header_edit *edit, size_t at)
{
	struct str line_end = { .data = (char[]){ "\n" }, .length = 1 };
	const struct str *text = &edit->text;

	if (at == 0 || text->data[at - 1] == '\n') return at;
	put_in_place(edit, at, at, &line_end);
	if (edit->front == at) edit->front++;
	return at + 1;
}

/* In place of what stands from `at` to `end`; where the field ends. */
static size_t insert(struct header_edit *edit, size_t at, size_t end,
		     const char *name, const char *value, size_t length)
{
	struct str field = make_field(name, value, length);

	size_t behind = at + field.length;

	put_in_place(edit, at, end, &field);
	str_free(&field);
	return behind;
}

bool header_edit_add(struct header_edit *edit, long place, const char *name,
		     const char *value, size_t length)
{
	size_t at;

	if (!header_edit_is_name(name)) return false;
	at = end_last_line(edit, find_place(edit, place));
	insert(edit, at, at, name, value, length);
	return true;
}

bool header_edit_replace(struct header_edit *edit, const char *name,
			 const char *value, size_t length)
{
	struct field field;
	size_t behind;

	if (!header_edit_is_name(name)) return false;
	if (!find_field(edit, name, 1, &field))
		return header_edit_add(edit, HEADER_END, name, value, length);
	behind = insert(edit, field.start, field.end, name, value, length);
	remove_all(edit, name, behind);
	return true;
}

/* ---- reading, and the end ---- */

const char *header_edit_value(const struct header_edit *edit, const char *name,
			      long number, size_t *length)
{
	const char *data = edit->text.data;
	struct field field;
	size_t at;

	if (!find_field(edit, name, number, &field)) return NULL;
	at = skip_space(data, field.value, field.end);
	while (field.end > at &&
	       skip_space(data, field.end - 1, field.end) == field.end)
		field.end--;
	*length = field.end - at;
	return data + at;
}

bool header_edit_finish(struct header_edit *edit, size_t *cut)
{
	if (edit->is_bare && edit->is_changed) {
		str_append_byte(&edit->text, '\n');
		edit->untouched = 0;
	}
	*cut = edit->old - edit->untouched;
	edit->text.length -= edit->untouched;
	return edit->is_changed;
}
