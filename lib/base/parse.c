/* SPDX-License-Identifier: ISC */
#include "base/parse.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char *read_digits(const char *text, unsigned long *number)
{
	unsigned long value = 0;

	for (; *text >= '0' && *text <= '9'; text++) {
		unsigned long digit = (unsigned long)(*text - '0');

		value = value > (ULONG_MAX - digit) / 10 ? ULONG_MAX
							 : value * 10 + digit;
	}
	*number = value;
	return text;
}

int parse_number(const char *text, unsigned long minimum, unsigned long maximum,
		 unsigned long *number)
{
	unsigned long value;
	const char *end = read_digits(text, &value);

	if (end == text || *end) {
		errno = EINVAL;
		return -1;
	}
	if (value < minimum || value > maximum) {
		errno = ERANGE;
		return -1;
	}
	*number = value;
	return 0;
}

int parse_descriptor(const char *text)
{
	unsigned long number;

	if (text &&
	    parse_number(text, STDERR_FILENO + 1, INT_MAX, &number) == 0)
		return (int)number;
	errno = EINVAL;
	return -1;
}

bool parse_leading_number(const char *text, unsigned long *number)
{
	unsigned long value;

	if (!text || read_digits(text, &value) == text) return false;
	*number = value;
	return true;
}

bool parse_flag(const char *text)
{
	unsigned long value = 0;

	return parse_leading_number(text, &value) && value > 0;
}

char *parse_cut(char **rest, char mark)
{
	char *word = *rest, *end = strchr(word, mark);

	if (!end) return NULL;
	*end = '\0';
	*rest = end + 1;
	return word;
}

char parse_lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

bool parse_same_word(const char *a, size_t length, const char *b)
{
	return strlen(b) == length && strncasecmp(a, b, length) == 0;
}
