/* SPDX-License-Identifier: ISC */
#include "mail/spam_score.h"

static bool has_digit(const char *at, const char *end)
{
	return at < end && *at >= '0' && *at <= '9';
}

static long cap(long number)
{
	return number > SPAM_SCORE_LIMIT ? SPAM_SCORE_LIMIT : number;
}

const char *spam_score_take(const char *at, const char *end, long *score)
{
	bool is_negative = at < end && *at == '-';
	long number = 0, worth = 10;
	size_t digits = 0;

	for (at += is_negative; has_digit(at, end); at++, digits++)
		number = cap(number * 10 + (*at - '0'));
	number = cap(number * 100);
	if (at < end && *at == '.')
		for (at++; has_digit(at, end); at++, digits++) {
			number = cap(number + (*at - '0') * worth);
			worth /= 10;
		}
	*score = is_negative ? -number : number;
	return digits > 0 ? at : NULL;
}

bool spam_score_parse(const char *text, size_t length, long *score)
{
	const char *end = text + length;
	long number;

	if (spam_score_take(text, end, &number) != end) return false;
	*score = number;
	return true;
}

void spam_score_append(struct str *into, long score)
{
	unsigned long number = (unsigned long)(score < 0 ? -score : score);

	if (score < 0 || score == SPAM_SCORE_NEVER) str_append_byte(into, '-');
	if (score == SPAM_SCORE_NEVER) return;
	str_append_number(into, number / 100);
	str_append_byte(into, '.');
	str_append_byte(into, (char)('0' + number / 10 % 10));
	str_append_byte(into, (char)('0' + number % 10));
}

void spam_score_append_state(struct str *into, const char *word, long score,
			     long required, long reject)
{
	str_append_text(into, word);
	str_append_text(into, " (");
	spam_score_append(into, score);
	str_append_byte(into, '/');
	spam_score_append(into, required);
	str_append_byte(into, '/');
	spam_score_append(into, reject);
	str_append_byte(into, ')');
}
