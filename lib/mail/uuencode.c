/* SPDX-License-Identifier: ISC */
#include "mail/uuencode.h"

#include <string.h>

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t')) at++;
	return at;
}

static bool skip_word(const char **at, const char *end, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(end - *at) < length || memcmp(*at, word, length) != 0)
		return false;
	*at += length;
	return true;
}

bool uuencode_begins(const char *line, size_t length,
		     struct uuencode_begin *begin)
{
	const char *at = line, *end = line + length, *mode;

	if (!skip_word(&at, end, "begin")) return false;
	begin->is_base64 = skip_word(&at, end, "-base64");
	mode = skip_blanks(at, end);
	if (mode == at) return false;
	for (at = mode; at < end && *at >= '0' && *at <= '7'; at++)
		;
	if (at - mode < 3) return false;
	begin->name = skip_blanks(at, end);
	begin->name_length = (size_t)(end - begin->name);
	return begin->name > at && begin->name_length > 0;
}

/* Prose has small letters, or is longer than its first letter says. Blanks at a
   line's end, which are zeros, may be lost. */
static bool is_uuencoded(const char *line, size_t length)
{
	size_t bytes = length > 0 ? (size_t)(line[0] - ' ') & 63 : 0;

	if (length == 0 || length - 1 > (bytes + 2) / 3 * 4 + 2) return false;
	for (size_t i = 0; i < length; i++)
		if (line[i] < ' ' || line[i] > '`') return false;
	return bytes == 0 || length > 1;
}

static bool is_base64(const char *line, size_t length)
{
	if (length < 4) return false;
	for (size_t i = 0; i < length; i++)
		if (line[i] <= ' ' || strchr("-_.,;:!?'\"()", line[i]))
			return false;
	return true;
}

bool uuencode_is_data(const char *line, size_t length, bool has_base64)
{
	return has_base64 ? is_base64(line, length)
			  : is_uuencoded(line, length);
}
