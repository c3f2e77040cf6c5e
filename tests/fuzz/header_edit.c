/* One change to any header with any value: there is exactly one field more, or
   there are none of the name left, the body is as it was, and no line that was
   written is too long. The first byte says where the field goes, then comes its
   value up to a NUL, then the message.
   SPDX-License-Identifier: ISC */
#include "mail/header_edit.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static bool take(struct header_edit *edit, struct str *message)
{
	struct stage_message whole = { .bytes = message->data,
				       .size = message->length,
				       .fd = -1 };

	return header_edit_take(edit, &whole) == HEADER_EDIT_READY;
}

/* How many fields of the name a message has. */
static size_t count(struct str *message, const char *name)
{
	struct header_edit edit = { 0 };
	size_t found;

	if (!take(&edit, message)) __builtin_trap();
	found = header_edit_remove(&edit, name, HEADER_ALL);
	str_free(&edit.text);
	return found;
}

/* No field is left on top, so there is no header. */
static bool is_bare(struct str *message)
{
	struct header_edit edit = { 0 };

	if (!take(&edit, message)) __builtin_trap();
	str_free(&edit.text);
	return edit.is_bare;
}

/* What comes out has the same body. */
static struct str finish(struct header_edit *edit, const struct str *message)
{
	struct str after = { 0 };
	size_t cut = 0, body = edit->old;

	str_reserve(&after, 0);
	if (header_edit_finish(edit, &cut))
		str_append(&after, edit->text.data, edit->text.length);
	if (cut > body) __builtin_trap();
	str_append(&after, message->data + cut, message->length - cut);
	if (after.length < message->length - body ||
	    memcmp(after.data + after.length - (message->length - body),
		   message->data + body, message->length - body) != 0)
		__builtin_trap();
	str_free(&edit->text);
	return after;
}

static void check_lines(const char *value, size_t length)
{
	size_t column = sizeof "Added: ";
	bool is_blank = false;

	for (size_t i = 0; i < length; i++) {
		if (value[i] == '\n') {
			if (is_blank || i + 1 == length ||
			    !strchr(" \t", value[i + 1]))
				__builtin_trap();
			column = 0;
			is_blank = true;
		} else {
			if (++column > HEADER_LINE_LIMIT + 1) __builtin_trap();
			if (value[i] == '\r') __builtin_trap();
			if (!strchr(" \t", value[i])) is_blank = false;
		}
	}
}

static void check_addition(struct str *message, long place, const char *value,
			   size_t length)
{
	struct header_edit edit = { 0 };
	size_t before = count(message, "*"), named = count(message, "Added");
	struct str after;

	if (!take(&edit, message) ||
	    !header_edit_add(&edit, place, "Added", value, length))
		__builtin_trap();
	after = finish(&edit, message);
	if (count(&after, "*") != before + 1 ||
	    count(&after, "added") != named + 1)
		__builtin_trap();
	str_free(&after);
}

static void check_replacement(struct str *message, const char *value,
			      size_t length)
{
	struct header_edit edit = { 0 };
	struct str after;
	const char *there;

	if (!take(&edit, message) ||
	    !header_edit_replace(&edit, "Added", value, length))
		__builtin_trap();
	there = header_edit_value(&edit, "Added", 1, &length);
	if (!there) __builtin_trap();
	check_lines(there, length);
	after = finish(&edit, message);
	if (count(&after, "added") != 1) __builtin_trap();
	str_free(&after);
}

static void check_removal(struct str *message, long number)
{
	struct header_edit edit = { 0 };
	size_t named = count(message, "Added"), removed;
	struct str after;

	if (!take(&edit, message)) __builtin_trap();
	removed = header_edit_remove(&edit, "ADDED", number);
	after = finish(&edit, message);
	if (number == HEADER_ALL && removed != named) __builtin_trap();
	if (count(&after, "Added") != named - removed && !is_bare(&after))
		__builtin_trap();
	str_free(&after);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct header_edit edit = { 0 };
	struct str message = { 0 };
	const uint8_t *end;
	size_t value;
	long place;

	if (length == 0) return 0;
	place = (long)*bytes++ - 100;
	length--;
	end = memchr(bytes, 0, length);
	value = end ? (size_t)(end - bytes) : length;
	str_append(&message, end ? end + 1 : bytes + length,
		   end ? length - value - 1 : 0);
	if (take(&edit, &message)) {
		check_addition(&message, place, (const char *)bytes, value);
		check_replacement(&message, (const char *)bytes, value);
		check_removal(&message, place);
	}
	str_free(&edit.text);
	str_free(&message);
	return 0;
}
