/* SPDX-License-Identifier: ISC */
#include "system/colon_file.h"

#include <string.h>

#include "system/file.h"

int colon_file_read(struct colon_file *file, const char *path, size_t limit)
{
	str_clear(&file->text);
	file->at = 0;
	file->line = 0;
	return file_read(path, &file->text, limit);
}

static void split(struct colon_file *file, char *line)
{
	file->fields = 0;
	while (file->fields < COLON_FIELDS) {
		char *colon = strchr(line, ':');

		file->field[file->fields++] = line;
		if (!colon || file->fields == COLON_FIELDS) break;
		*colon = '\0';
		line = colon + 1;
	}
	line += strlen(line);
	for (size_t i = file->fields; i < COLON_FIELDS; i++)
		file->field[i] = line;
}

bool colon_file_next(struct colon_file *file)
{
	while (file->at < file->text.length) {
		char *line = file->text.data + file->at;
		size_t left = file->text.length - file->at;
		char *end = memchr(line, '\n', left);

		file->line++;
		file->at += end ? (size_t)(end - line) + 1 : left;
		if (end) *end = '\0';
		if (!*line || *line == '#') continue;
		split(file, line);
		return true;
	}
	return false;
}

void colon_file_close(struct colon_file *file)
{
	str_free(&file->text);
	*file = (struct colon_file){ 0 };
}
