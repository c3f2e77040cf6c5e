/* SPDX-License-Identifier: ISC */
#include "mail/smtp_chunk.h"

#include <string.h>

#include "base/parse.h"
#include "mail/smtp_line.h"

static bool read_bytes(const struct smtp_parameter *word, uint64_t *bytes)
{
	*bytes = 0;
	for (size_t i = 0; i < word->name_length; i++) {
		unsigned digit = (unsigned)(unsigned char)word->name[i] - '0';

		if (digit > 9 || *bytes > (UINT64_MAX - digit) / 10)
			return false;
		*bytes = *bytes * 10 + digit;
	}
	return word->name_length > 0 && !word->value;
}

int smtp_chunk_parse(const char *argument, struct smtp_chunk_size *size)
{
	struct smtp_parameter word;

	size->is_last = false;
	if (!smtp_parameter_next(&argument, &word) ||
	    !read_bytes(&word, &size->bytes))
		return -1;
	if (!smtp_parameter_next(&argument, &word)) return 0;
	size->is_last = true;
	if (!parse_same_word(word.name, word.name_length, "LAST") || word.value)
		return -1;
	return smtp_parameter_next(&argument, &word) ? -1 : 0;
}

size_t smtp_chunk_decode(struct smtp_chunk *chunk, const char *from,
			 size_t length, char *to)
{
	const char *at = from, *end = from + length;
	char *start = to;

	if (length == 0) return 0;
	if (chunk->cr_waits && *at != '\n') *to++ = '\r';
	chunk->cr_waits = false;
	while (at < end) {
		const char *cr = memchr(at, '\r', (size_t)(end - at));
		size_t text = (size_t)((cr ? cr : end) - at);

		memmove(to, at, text);
		to += text;
		at += text;
		if (!cr) break;
		at++;
		if (at == end) chunk->cr_waits = true;
		else if (*at != '\n') *to++ = '\r';
	}
	if (to > start) chunk->in_line = to[-1] != '\n';
	return (size_t)(to - start);
}

size_t smtp_chunk_end(const struct smtp_chunk *chunk, char *to)
{
	char *start = to;

	if (chunk->cr_waits) *to++ = '\r';
	if (chunk->cr_waits || chunk->in_line) *to++ = '\n';
	return (size_t)(to - start);
}
