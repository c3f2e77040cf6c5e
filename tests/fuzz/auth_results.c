/* Authentication-Results. Of a message: the same comes out however it is cut,
   and nothing goes when that is filtered again; no field with our name is left
   in its plain forms; the text stays. Of a field of ours: whatever the values
   are, its lines are no longer than they may be, hold no control bytes, and the
   filter takes it for ours. The first byte says how long the pieces are.
   SPDX-License-Identifier: ISC */
#include "mail/auth_results.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const char id[] = "mx.example.net";
static const char name[] = "authentication-results";

static void take(void *context, const char *bytes, size_t length)
{
	str_append(context, bytes, length);
}

static struct str filtered(const char *bytes, size_t length, size_t piece)
{
	struct str output = { 0 };
	struct auth_results_filter filter = {
		.id = id,
		.write = take,
		.context = &output,
	};

	str_append(&output, "", 0);
	while (length > 0) {
		size_t n = length < piece ? length : piece;

		auth_results_filter(&filter, bytes, n);
		bytes += n;
		length -= n;
	}
	auth_results_filter_end(&filter);
	return output;
}

/* Up to the empty line. */
static size_t length_of_header(const char *bytes, size_t length)
{
	const char *end;

	if (length > 0 && *bytes == '\n') return 0;
	end = memmem(bytes, length, "\n\n", 2);
	return end ? (size_t)(end - bytes) + 1 : length;
}

/* A fold is the end of a line, in any form, and a blank. */
static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end) {
		const char *fold = at;

		if (fold < end && *fold == '\r') fold++;
		if (fold < end && *fold == '\n') fold++;
		if (fold == end || (*fold != ' ' && *fold != '\t')) break;
		at = fold + 1;
	}
	return at;
}

static void check_line(const char *line, const char *end)
{
	if (strncasecmp(line, name, sizeof name - 1) != 0) return;
	line = skip_blanks(line + sizeof name - 1, end);
	if (line == end || *line != ':') return;
	line = skip_blanks(line + 1, end);
	if ((size_t)(end - line) >= sizeof id - 1 &&
	    strncasecmp(line, id, sizeof id - 1) == 0 &&
	    strchr("; \t(\n", line[sizeof id - 1]))
		__builtin_trap();
}

static void check_header(const char *header, size_t length)
{
	const char *end = header + length;

	for (const char *at = header; at < end; at++)
		if (at == header || at[-1] == '\n' || at[-1] == '\r')
			check_line(at, end);
}

static bool has_name(const char *bytes, size_t length)
{
	for (size_t i = 0; i + sizeof name - 1 <= length; i++)
		if (strncasecmp(bytes + i, name, sizeof name - 1) == 0)
			return true;
	return false;
}

static void check_message(const char *bytes, size_t length, size_t piece)
{
	struct str whole = filtered(bytes, length, length + 1);
	struct str pieces = filtered(bytes, length, piece);
	struct str again = filtered(whole.data, whole.length, piece);
	size_t header = length_of_header(bytes, length);
	size_t text = length - header;

	if (whole.length != pieces.length || whole.length != again.length ||
	    memcmp(whole.data, pieces.data, whole.length) != 0 ||
	    memcmp(whole.data, again.data, whole.length) != 0)
		__builtin_trap();
	if (whole.length < text || whole.length > length ||
	    memcmp(whole.data + whole.length - text, bytes + header, text) != 0)
		__builtin_trap();
	check_header(whole.data, whole.length - text);
	if (!has_name(bytes, length) &&
	    (whole.length != length || memcmp(whole.data, bytes, length) != 0))
		__builtin_trap();
	str_free(&again);
	str_free(&pieces);
	str_free(&whole);
}

static void check_lines(const struct str *field)
{
	const char *line = field->data;

	while (*line) {
		size_t length = strcspn(line, "\n");

		if (length > AUTH_RESULTS_LINE || line[length] != '\n')
			__builtin_trap();
		if (line > field->data && *line != '\t') __builtin_trap();
		for (size_t i = line > field->data; i < length; i++)
			if ((unsigned char)line[i] < ' ' || line[i] == 127)
				__builtin_trap();
		line += length + 1;
	}
	if (line != field->data + field->length) __builtin_trap();
}

/* Each line of the input is a value. */
static void check_field(char *text)
{
	struct auth_results results = { .may_be_utf8 = *text & 1 };
	struct str field = { 0 }, rest;
	char *value;

	auth_results_begin(&results, &field, id);
	while ((value = strsep(&text, "\n"))) {
		if (*value & 2) auth_results_add(&results, "auth", "pass");
		if (results.has_results)
			auth_results_property(&results, "smtp.auth", value);
	}
	auth_results_end(&results);
	check_lines(&field);
	rest = filtered(field.data, field.length, field.length);
	if (rest.length) __builtin_trap();
	str_free(&rest);
	str_free(&field);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct str text = { 0 };

	if (length == 0) return 0;
	str_append(&text, bytes + 1, length - 1);
	check_message(text.data, text.length, 1 + (size_t)bytes[0]);
	check_field(text.data);
	str_free(&text);
	return 0;
}
