/* Command lines: the same ones come out however the input is cut, no line is
   over the limit or holds a NUL, and every LF gives just one answer. The first
   byte says how long the pieces are.
   SPDX-License-Identifier: ISC */
#include "mail/smtp_line.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 24, BUFFER = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_line(const struct smtp_line *line)
{
	char *copy = malloc(line->length + 1);
	struct smtp_parameter parameter;
	const char *text, *end;

	if (line->length >= LIMIT) __builtin_trap();
	if (strlen(line->text) != line->length) __builtin_trap();
	memcpy(copy, line->text, line->length + 1);
	text = smtp_line_cut_verb(copy);
	end = copy + line->length;
	if (text < copy || text > end) __builtin_trap();
	while (smtp_parameter_next(&text, &parameter)) {
		if (text > end) __builtin_trap();
		if (parameter.name + parameter.name_length > text)
			__builtin_trap();
		if (parameter.value &&
		    parameter.value + parameter.value_length != text)
			__builtin_trap();
	}
	free(copy);
}

/* A number that stands for all answers in their order. */
static uint64_t read_lines(const uint8_t *bytes, size_t length, size_t piece,
			   size_t *answers)
{
	char buffer[BUFFER];
	struct stream_in in = { .data = buffer, .size = sizeof buffer };
	struct smtp_line line = { 0 };
	uint64_t sum = 0;

	*answers = 0;
	while (length > 0) {
		size_t n = length < piece ? length : piece;
		enum smtp_line_state state;

		memmove(buffer, buffer + in.start, in.end - in.start);
		in.end -= in.start;
		in.start = 0;
		if (n > in.size - in.end) n = in.size - in.end;
		if (n == 0) __builtin_trap();
		memcpy(buffer + in.end, bytes, n);
		in.end += n;
		bytes += n;
		length -= n;
		while ((state = smtp_line_take(&line, &in, LIMIT)) !=
		       SMTP_LINE_PARTIAL) {
			sum = sum * 31 + (uint64_t)state;
			++*answers;
			if (state != SMTP_LINE_WHOLE) continue;
			check_line(&line);
			for (size_t i = 0; i < line.length; i++)
				sum = sum * 31 + (unsigned char)line.text[i];
		}
	}
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	size_t piece, answers, again, wanted = 0;

	if (length == 0) return 0;
	piece = 1 + bytes[0] % (BUFFER - 1);
	bytes++;
	length--;
	for (size_t i = 0; i < length; i++) wanted += bytes[i] == '\n';
	if (read_lines(bytes, length, 1, &answers) !=
	    read_lines(bytes, length, piece, &again))
		__builtin_trap();
	if (answers != wanted || again != wanted) __builtin_trap();
	return 0;
}
