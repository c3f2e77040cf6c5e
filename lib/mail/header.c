/* SPDX-License-Identifier: ISC */
#include "mail/header.h"

#include <string.h>
#include <strings.h>

static void append_two_digits(struct str *s, int number)
{
	str_append_byte(s, (char)('0' + number / 10));
	str_append_byte(s, (char)('0' + number % 10));
}

/* By hand: every message has it, and the code of printf would be all that it
   needs of printf. */
void header_append_date(struct str *s, time_t when)
{
	static const char months[][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun",
		"Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
	};
	struct tm at = { 0 };

	gmtime_r(&when, &at);
	str_append_number(s, (unsigned long)at.tm_mday);
	str_append_byte(s, ' ');
	str_append_text(s, months[at.tm_mon]);
	str_append_byte(s, ' ');
	str_append_number(s, (unsigned long)at.tm_year + 1900);
	str_append_byte(s, ' ');
	append_two_digits(s, at.tm_hour);
	str_append_byte(s, ':');
	append_two_digits(s, at.tm_min);
	str_append_byte(s, ':');
	append_two_digits(s, at.tm_sec);
	str_append_text(s, " -0000");
}

static int is_safe(char byte)
{
	if (byte >= 'a' && byte <= 'z') return 1;
	if (byte >= 'A' && byte <= 'Z') return 1;
	if (byte >= '0' && byte <= '9') return 1;
	return byte && strchr(".@%+/=:-[]", byte) != NULL;
}

void header_append_safe(struct str *s, const char *value)
{
	if (!value) value = "unknown";
	for (; *value; value++)
		str_append_byte(s, is_safe(*value) ? *value : '?');
}

bool header_skip_comments(const char **at, const char *end)
{
	size_t depth = 0;

	for (; *at < end; ++*at) {
		char byte = **at;

		if (byte == '(') depth++;
		else if (depth == 0 && (!byte || !strchr(" \t\r\n", byte)))
			return true;
		else if (byte == ')') depth--;
		else if (byte == '\\' && end - *at > 1) ++*at;
	}
	return depth == 0;
}

static bool starts_with(const struct header_hops *hops, const char *word)
{
	return hops->column == strlen(word) &&
	       strncasecmp(hops->start, word, hops->column) == 0;
}

void header_count_hops(struct header_hops *hops, const char *bytes,
		       size_t length)
{
	const char *end = bytes + length;

	while (bytes < end && !hops->in_body) {
		if (*bytes == '\n') {
			hops->in_body = hops->column == 0;
			hops->column = 0;
			bytes++;
		} else if (hops->column < sizeof hops->start) {
			hops->start[hops->column++] = *bytes++;
			if (starts_with(hops, "received") ||
			    starts_with(hops, "delivered"))
				hops->count++;
		} else {
			bytes = memchr(bytes, '\n', (size_t)(end - bytes));
			if (!bytes) return;
		}
	}
}
