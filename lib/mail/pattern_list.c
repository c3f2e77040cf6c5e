/* SPDX-License-Identifier: ISC */
#include "mail/pattern_list.h"

#include <regex.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A line that only libc can decide. They are compiled in the order in which
   they stand in the list, so the next one is that of the next such line. */
struct pattern {
	struct pattern *next;
	const char *line;
	regex_t regex;
	bool is_bad;
	bool is_reported;
};

/* Two bytes side by side, of each the five low bits: those are the same in 'a'
   and in 'A'. */
enum { PAIRS = 1024 };

/* Places are counted from 1; 0 is none. Both texts end in a NUL. */
struct subject {
	size_t length;
	uint16_t first[PAIRS]; /* place of a pair */
	uint16_t next[PATTERN_TEXT_LIMIT + 1];
	char text[PATTERN_TEXT_LIMIT + 1];
	char folded[PATTERN_TEXT_LIMIT + 1];
};

enum answer { FITS, DIFFERS, BAD };

static size_t pair_of(const char *bytes)
{
	return (size_t)((bytes[0] & 31) << 5 | (bytes[1] & 31));
}

static char fold(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte | 32) : byte;
}

static void read_subject(struct subject *subject, const char *text)
{
	size_t length = strnlen(text, PATTERN_TEXT_LIMIT);

	memset(subject, 0, sizeof *subject);
	subject->length = length;
	memcpy(subject->text, text, length);
	for (size_t i = 0; i < length; i++) subject->folded[i] = fold(text[i]);
	for (size_t place = length; place-- > 1;) {
		uint16_t *first = &subject->first[pair_of(text + place - 1)];

		subject->next[place] = *first;
		*first = (uint16_t)place;
	}
}

/* What is not plain; a dot is, as it needs no look at what follows it. */
static const bool is_special[256] = {
	['\0'] = true, ['\\'] = true, ['['] = true, ['('] = true,
	[')'] = true,  ['*'] = true,  ['+'] = true, ['?'] = true,
	['{'] = true,  ['|'] = true,  ['^'] = true, ['$'] = true,
};

static const char *first_special(const char *line)
{
	while (!is_special[(unsigned char)*line]) line++;
	return line;
}

/* What a backslash makes plain in the eyes of every libc. */
static bool is_escapable(char byte)
{
	return byte && strchr(".\\[](){}*+?|^$@-_/", byte);
}

/* Whether the line has nothing but what parts_fit understands. */
static bool is_simple(const char *line)
{
	if (*line == '^') line++;
	for (; *line; line++) {
		if (line[0] == '$' && line[1] == '\0') break;
		if ((line[0] == '.' && line[1] == '*') ||
		    (line[0] == '\\' && is_escapable(line[1])))
			line++;
		else if (is_special[(unsigned char)*line]) return false;
	}
	return true;
}

/* Of a simple line, up to ".*", to the '$' at its end, or to the end. Each item
   stands for one byte of the text. */
struct part {
	const char *start;
	const char *end;
	size_t items;
};

static struct part read_part(const char *line)
{
	struct part part = { .start = line };

	while (*line && !(line[0] == '.' && line[1] == '*') &&
	       !(line[0] == '$' && line[1] == '\0')) {
		line += *line == '\\' ? 2 : 1;
		part.items++;
	}
	part.end = line;
	return part;
}

/* The text has as many bytes as the part has items. */
static bool part_fits(const struct part *part, const char *text)
{
	for (const char *at = part->start; at < part->end; at++, text++) {
		if (*at == '.') continue;
		if (*at == '\\') at++;
		if (fold(*at) != *text) return false;
	}
	return true;
}

static bool is_itself(char byte)
{
	return byte && byte != '.' && byte != '\\';
}

static bool begins_with_pair(const char *start)
{
	return is_itself(start[0]) && is_itself(start[1]);
}

/* The first place from `text` on, or NULL. */
static const char *find_part(const struct part *part, const char *text,
			     const struct subject *subject)
{
	const char *end = subject->folded + subject->length;

	if (part->end - part->start >= 2 && begins_with_pair(part->start)) {
		size_t place = subject->first[pair_of(part->start)];

		for (; place; place = subject->next[place]) {
			const char *at = subject->folded + place - 1;

			if (at >= text && (size_t)(end - at) >= part->items &&
			    part_fits(part, at))
				return at;
		}
		return NULL;
	}
	for (; (size_t)(end - text) >= part->items; text++)
		if (part_fits(part, text)) return text;
	return NULL;
}

/* A simple line: its parts have to be in the text one behind the other, and
   the first place that is right for a part is right for those behind it. */
static bool parts_fit(const char *line, const struct subject *subject)
{
	const char *text = subject->folded;
	const char *end = text + subject->length;
	bool is_held = *line == '^';

	if (is_held) line++;
	for (;; is_held = false) {
		struct part part = read_part(line);

		if ((size_t)(end - text) < part.items) return false;
		if (!is_held && *part.end == '$') {
			text = end - part.items;
			is_held = true;
		}
		if (!is_held) text = find_part(&part, text, subject);
		else if (!part_fits(&part, text)) return false;
		if (!text) return false;
		text += part.items;
		if (*part.end == '$') return text == end;
		if (*part.end == '\0') return true;
		line = part.end + 2;
	}
}

/* A line without anything special. Most of them end at their first bytes. */
static bool is_within(const char *line, const struct subject *subject)
{
	if (begins_with_pair(line) && !subject->first[pair_of(line)])
		return false;
	return parts_fit(line, subject);
}

static bool is_whole(const char *line, const struct subject *subject)
{
	const char *host = strrchr(subject->text, '@');

	return strcasecmp(line, subject->text) == 0 ||
	       (host && strcasecmp(line, host) == 0);
}

/* One that would take too much memory is a bad line, too. */
static struct pattern *compile(const char *line)
{
	struct pattern *pattern = calloc(1, sizeof *pattern);

	if (pattern) {
		pattern->line = line;
		if (*line == '!') line++;
		if (regcomp(&pattern->regex, line,
			    REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0)
			pattern->is_bad = true;
		return pattern;
	}
	str_die_of_memory();
}

/* `*place` is where the next such line's expression is, or is to be. */
static enum answer ask_libc(struct pattern ***place, const char *line,
			    const struct subject *subject)
{
	struct pattern *pattern = **place;

	if (!pattern) pattern = **place = compile(line);
	*place = &pattern->next;
	if (pattern->is_bad) return BAD;
	return regexec(&pattern->regex, subject->text, 0, NULL, 0) == 0
		       ? FITS
		       : DIFFERS;
}

/* `special` is the first byte behind the '!' that is not plain. */
static bool means(const char *line, const char *special,
		  struct pattern ***place, const struct subject *subject)
{
	bool is_for_others = *line == '!';
	const char *body = line + is_for_others;
	enum answer answer;

	if (!*special) {
		answer = is_within(body, subject) ? FITS : DIFFERS;
	} else {
		if (!is_for_others && is_whole(line, subject)) return true;
		if (!is_simple(body)) answer = ask_libc(place, line, subject);
		else answer = parts_fit(body, subject) ? FITS : DIFFERS;
	}
	return answer == (is_for_others ? DIFFERS : FITS);
}

const char *pattern_list_match(struct pattern_list *list, const char *text)
{
	struct subject subject;
	struct pattern **place = &list->compiled;
	const char *line, *end;

	if (list->lines.length == 0) return NULL;
	read_subject(&subject, text);
	line = list->lines.data;
	end = line + list->lines.length;
	while (line < end) {
		const char *special = first_special(line + (*line == '!'));

		if (means(line, special, &place, &subject)) return line;
		line = special + strlen(special) + 1;
	}
	return NULL;
}

const char *pattern_list_bad_line(struct pattern_list *list)
{
	for (struct pattern *p = list->compiled; p; p = p->next)
		if (p->is_bad && !p->is_reported) {
			p->is_reported = true;
			return p->line;
		}
	return NULL;
}

void pattern_list_free(struct pattern_list *list)
{
	struct pattern *pattern = list->compiled;

	while (pattern) {
		struct pattern *next = pattern->next;

		if (!pattern->is_bad) regfree(&pattern->regex);
		free(pattern);
		pattern = next;
	}
	str_free(&list->lines);
	list->compiled = NULL;
}
