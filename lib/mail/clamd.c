/* SPDX-License-Identifier: ISC */
#include "mail/clamd.h"

#include <string.h>

#include "base/str.h"

static const char ok[] = "OK";
static const char found[] = " FOUND";
static const char limited[] = "Heuristics.Limits.Exceeded";
static const char too_large[] = "INSTREAM size limit exceeded";

struct line {
	const char *text;
	size_t length;
};

static bool begins_with(const struct line *line, const char *word)
{
	size_t length = strlen(word);

	return line->length >= length && memcmp(line->text, word, length) == 0;
}

static bool ends_with(const struct line *line, const char *word)
{
	size_t length = strlen(word);

	return line->length >= length &&
	       memcmp(line->text + line->length - length, word, length) == 0;
}

/* Time-outs end in LF even where NUL was asked for. */
static const char *find_end(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i] == '\0' || bytes[i] == '\n') return bytes + i;
	return NULL;
}

bool clamd_is_whole(const char *bytes, size_t length)
{
	return find_end(bytes, length) != NULL;
}

/* Moves behind "stream: " or "fd[12]: ". */
static bool skip_subject(struct line *line)
{
	const char *colon = memchr(line->text, ':', line->length);
	size_t length;

	if (!colon) return false;
	length = (size_t)(colon - line->text) + 2;
	if (length > line->length || colon[1] != ' ') return false;
	line->text += length;
	line->length -= length;
	return true;
}

static enum clamd_verdict judge(struct line *line)
{
	struct line rest = *line;

	if (begins_with(line, too_large)) return CLAMD_TOO_LARGE;
	if (!skip_subject(&rest)) return CLAMD_FAILED;
	if (rest.length == strlen(ok) && begins_with(&rest, ok))
		return CLAMD_CLEAN;
	if (!ends_with(&rest, found) || rest.length == strlen(found))
		return CLAMD_FAILED;
	rest.length -= strlen(found);
	*line = rest;
	return begins_with(line, limited) ? CLAMD_LIMITED : CLAMD_FOUND;
}

void clamd_parse(const char *bytes, size_t length, struct clamd_reply *reply)
{
	const char *end = find_end(bytes, length);
	struct line line = { bytes, end ? (size_t)(end - bytes) : length };

	reply->verdict = CLAMD_FAILED;
	/* One question has one answer: with two, neither counts. */
	if (end && end == bytes + length - 1 && length <= CLAMD_REPLY_LIMIT)
		reply->verdict = judge(&line);
	printable_bytes(reply->text, sizeof reply->text, line.text,
			line.length);
}
