/* spamd's answers: however they are cut, what was answered stays answered, in the
   same words; what was refused stays refused; scores are within their limits and
   written as they are read; fields lie within the header.
   SPDX-License-Identifier: ISC */
#include "mail/spamd.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/spam_score.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check(bool truth)
{
	if (!truth) __builtin_trap();
}

static void check_score(long score)
{
	struct str text = { 0 };
	long again;

	check(score <= SPAM_SCORE_LIMIT && score >= -SPAM_SCORE_LIMIT);
	spam_score_append(&text, score);
	check(spam_score_parse(text.data, text.length, &again));
	check(again == score);
	str_free(&text);
}

static void check_fields(const char *header, size_t length)
{
	const char *at = header, *end = header + length, *last = header;
	struct spamd_field field;

	while (spamd_next_field(&at, end, &field)) {
		check(field.name >= last && field.name_length > 0);
		check(field.name + field.name_length < field.value);
		check(field.value + field.length < at && at <= end);
		check(!memchr(field.name, '\n', field.name_length));
		check(field.name[field.name_length] == ':');
		last = at;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct spamd_reply reply, cut;
	enum spamd_state state, earlier = SPAMD_MORE;
	char *copy = malloc(length + 1);

	if (length) memcpy(copy, bytes, length);
	state = spamd_parse(copy, length, &reply);
	check(memchr(reply.text, '\0', sizeof reply.text) != NULL);
	for (const char *at = reply.text; *at; at++)
		check(*at >= ' ' && *at <= '~');
	for (size_t n = 0; n < length && length < 2000; n++) {
		enum spamd_state now = spamd_parse(copy, n, &cut);

		check(earlier == SPAMD_MORE || now == earlier);
		earlier = now;
	}
	check(earlier == SPAMD_MORE || state == earlier);
	if (state == SPAMD_ANSWERED) {
		check_score(reply.score);
		check_score(reply.required);
		if (reply.body) {
			check(reply.body_length <= length);
			check_fields(reply.body, reply.body_length);
		}
	}
	check_fields(copy, length);
	free(copy);
	return 0;
}
