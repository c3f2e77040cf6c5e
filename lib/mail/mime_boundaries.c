/* SPDX-License-Identifier: ISC */
#include "mail/mime_boundaries.h"

#include <string.h>

void mime_boundaries_start(struct mime_boundaries *boundaries)
{
	boundaries->count = boundaries->known = 0;
}

static unsigned innermost(const struct mime_boundaries *boundaries)
{
	if (boundaries->count == 0) return 0;
	return boundaries->list[boundaries->count - 1].group;
}

/* When there is no room, one that is there already is replaced by one that every
   part has. */
void mime_boundaries_add(struct mime_boundaries *boundaries, const char *text,
			 size_t length)
{
	struct mime_boundary_text *boundary;

	if (length > MIME_BOUNDARY_TEXT) length = MIME_BOUNDARY_TEXT;
	for (size_t i = boundaries->count; i < boundaries->known; i++) {
		boundary = &boundaries->list[i];
		if (boundary->length == length &&
		    memcmp(boundary->text, text, length) == 0)
			return;
	}
	if (boundaries->known == MIME_BOUNDARIES) length = 0;
	else boundaries->known++;
	boundary = &boundaries->list[boundaries->known - 1];
	boundary->group = innermost(boundaries) + 1;
	boundary->length = length;
	memcpy(boundary->text, text, length);
}

void mime_boundaries_drop(struct mime_boundaries *boundaries)
{
	boundaries->known = boundaries->count;
}

void mime_boundaries_leave(struct mime_boundaries *boundaries, unsigned group)
{
	while (boundaries->count > 0 && innermost(boundaries) > group)
		boundaries->count--;
	boundaries->known = boundaries->count;
}

/* Those of the header go from behind those that are over to the place of these. */
void mime_boundaries_take(struct mime_boundaries *boundaries, unsigned group)
{
	size_t from = boundaries->count, brought = boundaries->known - from;
	unsigned number;

	if (group > 0) mime_boundaries_leave(boundaries, group);
	number = innermost(boundaries) + 1;
	if (boundaries->count < from)
		memmove(boundaries->list + boundaries->count,
			boundaries->list + from,
			brought * sizeof *boundaries->list);
	for (size_t i = 0; i < brought; i++)
		boundaries->list[boundaries->count++].group = number;
	boundaries->known = boundaries->count;
}

static size_t skip_blanks(const char *line, size_t at, size_t length)
{
	while (at < length && (line[at] == ' ' || line[at] == '\t')) at++;
	return at;
}

/* Whether the line begins with it; what is behind it makes it one, or the last of
   all parts, or only something like one. */
static bool compare(const struct mime_boundary_text *boundary, const char *line,
		    size_t length, struct mime_match *match)
{
	size_t at = 2 + boundary->length;

	if (at > length ||
	    memcmp(line + 2, boundary->text, boundary->length) != 0)
		return false;
	*match = (struct mime_match){ .group = boundary->group };
	if (boundary->length == 0 || boundary->length == MIME_BOUNDARY_TEXT)
		return true;
	match->is_exact = skip_blanks(line, at, length) == length;
	if (match->is_exact || length - at < 2 ||
	    memcmp(line + at, "--", 2) != 0)
		return true;
	match->is_last = skip_blanks(line, at + 2, length) == length;
	match->is_exact = match->is_last;
	return true;
}

/* An exact one, the innermost; or else the longest that the line begins with: the
   others are part of it. */
struct mime_match mime_boundaries_find(const struct mime_boundaries *boundaries,
				       const char *line, size_t length)
{
	struct mime_match found = { 0 }, match;
	size_t longest = 0;

	if (length < 2 || line[0] != '-' || line[1] != '-') return found;
	for (size_t i = boundaries->known; i-- > 0;) {
		const struct mime_boundary_text *b = &boundaries->list[i];

		if (!compare(b, line, length, &match) ||
		    match.is_exact < found.is_exact)
			continue;
		if (found.group > 0 && match.is_exact == found.is_exact &&
		    b->length <= longest)
			continue;
		found = match;
		found.is_new = i >= boundaries->count;
		longest = b->length;
	}
	return found;
}
