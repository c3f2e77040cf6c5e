/* SPDX-License-Identifier: ISC */
#include "mail/control.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "system/file.h"

const char *control_folder(void)
{
	const char *folder = getenv("CONTROLDIR");

	return folder && *folder ? folder : CHAINMAIL_HOME "/control";
}

void control_path(struct str *path, const char *name)
{
	str_clear(path);
	if (*name != '/') {
		str_append_text(path, control_folder());
		str_append_byte(path, '/');
	}
	str_append_text(path, name);
}

/* The path and the text stay for the next file: a program that serves one
   client reads several at its start, and memory that is given back and asked
   for again would be half of its system calls. */
static enum control_answer read_whole(const char *name, const struct str **text)
{
	static struct str path, whole;

	control_path(&path, name);
	str_clear(&whole);
	*text = &whole;
	/* Most are not there, and to ask is half as much as to try. */
	if (access(path.data, F_OK) < 0 && errno == ENOENT)
		return CONTROL_ABSENT;
	if (file_read(path.data, &whole, CONTROL_FILE_LIMIT) == 0)
		return CONTROL_FOUND;
	return errno == ENOENT ? CONTROL_ABSENT : CONTROL_FAILED;
}

/* A NUL would be a line of its own in a list. */
static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\0';
}

static size_t length_without_trailing_blanks(const char *line, size_t length)
{
	while (length > 0 && is_blank(line[length - 1])) length--;
	return length;
}

enum control_answer control_read_line(const char *name, struct str *line)
{
	const struct str *text;
	enum control_answer answer = read_whole(name, &text);

	str_clear(line);
	if (answer != CONTROL_FOUND) return answer;
	str_append(line, text->data,
		   length_without_trailing_blanks(text->data,
						  strcspn(text->data, "\n")));
	return CONTROL_FOUND;
}

enum control_answer control_read_number(const char *name, unsigned long *number)
{
	struct str line = { 0 };
	enum control_answer answer = control_read_line(name, &line);

	if (answer == CONTROL_FOUND) parse_leading_number(line.data, number);
	str_free(&line);
	return answer;
}

/* Lists may be long, so there is one copy, and no call for each line but the
   search for its end. */
enum control_answer control_read_list(const char *name, struct str *lines)
{
	const struct str *text;
	enum control_answer answer = read_whole(name, &text);
	const char *line, *end;
	char *to;

	str_clear(lines);
	if (answer != CONTROL_FOUND || !text->length) return answer;
	str_reserve(lines, text->length + 1);
	to = lines->data;
	end = text->data + text->length;
	for (line = text->data; line < end; line++) {
		const char *lf = memchr(line, '\n', (size_t)(end - line));
		const char *stop = lf ? lf : end;
		size_t length = length_without_trailing_blanks(
			line, (size_t)(stop - line));

		if (length > 0 && *line != '#') {
			memcpy(to, line, length);
			to += length;
			*to++ = '\0';
		}
		line = stop;
	}
	lines->length = (size_t)(to - lines->data);
	*to = '\0';
	return answer;
}
