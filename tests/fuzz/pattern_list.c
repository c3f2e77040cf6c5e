/* A line of a list of expressions and a text, an LF between them: what is
   decided without libc is decided as libc would, a line's own letters always
   fit, and a line that is no expression is reported, once.
   SPDX-License-Identifier: ISC */
#include "mail/pattern_list.h"

#include <regex.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* libc's own work is not what is tried here: glibc's memory doubles with each
   repetition of a repetition. */
enum { LONGEST_LINE = 40, LONGEST_TEXT = 200, MOST_REPETITIONS = 4 };

static bool is_cheap(const char *line)
{
	size_t repetitions = 0;

	for (; *line; line++) {
		repetitions += strchr("+*?", *line) != NULL;
		if (*line == '{' && strpbrk(line, "123456789")) return false;
	}
	return repetitions <= MOST_REPETITIONS;
}

static bool is_whole(const char *line, const char *text)
{
	const char *host = strrchr(text, '@');

	return strcasecmp(line, text) == 0 ||
	       (host && strcasecmp(line, host) == 0);
}

static void check(const char *line, const char *text)
{
	struct pattern_list list = { 0 };
	bool negated = *line == '!', fits, is_bad;
	const char *match, *bad;
	regex_t regex;

	str_append(&list.lines, line, strlen(line) + 1);
	match = pattern_list_match(&list, text);
	if (match && strcmp(match, line) != 0) __builtin_trap();
	is_bad = regcomp(&regex, line + negated,
			 REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0;
	fits = !is_bad && (regexec(&regex, text, 0, NULL, 0) == 0) != negated;
	if (!negated && is_whole(line, text)) fits = true;
	if (fits != !!match) __builtin_trap();
	bad = pattern_list_bad_line(&list);
	if (bad && (!is_bad || strcmp(bad, line) != 0)) __builtin_trap();
	if (!bad && is_bad && !fits) __builtin_trap();
	if (pattern_list_bad_line(&list)) __builtin_trap();
	if (!is_bad) regfree(&regex);
	pattern_list_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const uint8_t *lf = memchr(bytes, '\n', length);
	char line[LONGEST_LINE + 1] = "", text[LONGEST_TEXT + 1] = "";
	size_t size;

	if (!lf || memchr(bytes, 0, length)) return 0;
	size = (size_t)(lf - bytes);
	length -= size + 1;
	if (size == 0 || size > LONGEST_LINE || length > LONGEST_TEXT) return 0;
	memcpy(line, bytes, size);
	memcpy(text, lf + 1, length);
	if (is_cheap(line)) check(line, text);
	return 0;
}
