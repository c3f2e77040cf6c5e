/* SPDX-License-Identifier: ISC */
#include "map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/parse.h"
#include "system/file.h"
#include "system/table_maker.h"

enum { TEXT_LIMIT = 256 * 1024 * 1024 }; /* some millions of lines */

static void append_lower(struct str *key, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		str_append_byte(key, parse_lower(text[i]));
}

bool path_is_usable(const char *path, size_t length)
{
	return length > 0 && length <= MAILDIR_PATH_LIMIT && *path == '/' &&
	       !memchr(path, '\0', length);
}

enum table_answer map_find(struct map *map, const char *recipient,
			   const char **path, size_t *length)
{
	enum table_answer answer = TABLE_ABSENT;
	const char *at = strrchr(recipient, '@');
	size_t whole = strlen(recipient);
	size_t domain = at ? (size_t)(at - recipient) : whole;
	/* Where the keys begin: the address, @domain, nothing. */
	const size_t starts[] = { 0, domain, whole };

	str_clear(&map->key);
	append_lower(&map->key, recipient, whole);
	for (size_t i = 0; map->table.open && i < 3; i++) {
		answer = table_find(&map->table, map->key.data + starts[i],
				    whole - starts[i], path, length);
		if (answer == TABLE_FOUND && !path_is_usable(*path, *length)) {
			errno = EPROTO;
			return TABLE_FAILED;
		}
		if (answer != TABLE_ABSENT) return answer;
	}
	if (!map->fallback) return TABLE_ABSENT;
	*path = map->fallback;
	*length = strlen(map->fallback);
	return TABLE_FOUND;
}

/* The line's key and path, or what is wrong with it. A path begins with '/', so
   ":/" ends the address even where that has colons (user@[IPv6:::1]). */
static const char *parse_line(const char *line, size_t length, struct str *key,
			      const char **path, size_t *path_length)
{
	const char *split = memmem(line, length, ":/", 2);

	for (size_t i = 0; i < length; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 127)
			return "control character";
	if (!memchr(line, ':', length)) return "no colon";
	if (!split) return "the Maildir is not an absolute path";
	*path = split + 1;
	*path_length = length - (size_t)(*path - line);
	if (*path_length > MAILDIR_PATH_LIMIT) return "path is too long";
	if (memchr(line, ' ', (size_t)(split - line)))
		return "space in the address";
	str_clear(key);
	append_lower(key, line, (size_t)(split - line));
	return NULL;
}

static size_t length_without_trailing_blanks(const char *line, size_t length)
{
	while (length > 0 &&
	       (line[length - 1] == ' ' || line[length - 1] == '\t' ||
		line[length - 1] == '\r'))
		length--;
	return length;
}

/* Says what is wrong with every bad line; the number of them. */
static unsigned long add_lines(struct table_maker *maker,
			       const struct str *text, int *result)
{
	unsigned long number = 0, bad = 0;
	struct str key = { 0 };
	size_t at = 0;

	while (at < text->length && *result == 0) {
		const char *line = text->data + at, *path, *wrong;
		const char *end = memchr(line, '\n', text->length - at);
		size_t length = end ? (size_t)(end - line) : text->length - at;
		size_t path_length;

		number++;
		at += length + 1;
		length = length_without_trailing_blanks(line, length);
		if (length == 0 || *line == '#') continue;
		wrong = parse_line(line, length, &key, &path, &path_length);
		if (wrong) {
			note("fatal: line %lu: %s", number, wrong);
			bad++;
			continue;
		}
		*result = table_make_add(maker, key.data, key.length, path,
					 path_length);
	}
	str_free(&key);
	return bad;
}

/* Whoever looks at `path` sees the old table or the new one, whole; after a
   power cut too. */
void map_compile(const char *path)
{
	struct table_maker maker;
	struct str text = { 0 }, temporary = { 0 };
	unsigned long bad;
	int fd, result, cause;

	if (file_read_rest(STDIN_FILENO, &text, TEXT_LIMIT) < 0)
		die_temporary("cannot read standard input:");
	str_append_text(&temporary, path);
	str_append_byte(&temporary, '.');
	str_append_number(&temporary, (unsigned long)getpid());
	fd = open(temporary.data, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0) die_temporary("cannot create %s:", temporary.data);
	result = table_make_start(&maker, fd);
	bad = add_lines(&maker, &text, &result);
	if (result == 0 && bad == 0 && table_make_finish(&maker, NULL) == 0 &&
	    fsync(fd) == 0 && rename(temporary.data, path) == 0) {
		if (file_sync_folder_of(path) == 0) exit(EXIT_DONE);
		die_temporary("cannot sync the folder of %s:", path);
	}
	cause = errno;
	unlink(temporary.data);
	errno = cause;
	if (bad)
		die_permanent("%s stays as it was: %lu bad line%s", path, bad,
			      bad == 1 ? "" : "s");
	die_temporary("cannot write %s:", path);
}
