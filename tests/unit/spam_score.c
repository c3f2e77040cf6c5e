/* Spam scores: read and written.
   SPDX-License-Identifier: ISC */
#include "mail/spam_score.h"

#include <string.h>

#include "tap.h"

static void is_score(const char *text, long wanted)
{
	struct str again = { 0 };
	long score = 0;

	ok(spam_score_parse(text, strlen(text), &score), text);
	is_number(score, wanted, "its hundredths");
	spam_score_append(&again, score);
	ok(spam_score_parse(again.data, again.length, &score), again.data);
	is_number(score, wanted, "and once more");
	str_free(&again);
}

static void scores(void)
{
	static const char *const bad[] = { "",   "-",  ".",    "-.", "1,5",
					   "1 ", "+1", "1.5x", "--1" };
	struct str text = { 0 };
	long score = 42;

	is_score("0", 0);
	is_score("-0.0", 0);
	is_score("5.", 500);
	is_score(".5", 50);
	is_score("-1.05", -105);
	is_score("20.119", 2011);
	is_score("99999999999999999999999", SPAM_SCORE_LIMIT);
	is_score("-1000000.01", -SPAM_SCORE_LIMIT);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(!spam_score_parse(bad[i], strlen(bad[i]), &score), bad[i]);
	is_number(score, 42, "what is none changes nothing");
	is_score("1000000.01", SPAM_SCORE_LIMIT);
	spam_score_append(&text, 5350);
	str_append_byte(&text, ' ');
	spam_score_append(&text, -7);
	is_text(text.data, "53.50 -0.07", "with two decimals");
	str_clear(&text);
	spam_score_append_state(&text, "SPAM REJECT", 5350, 500, 2000);
	is_text(text.data, "SPAM REJECT (53.50/5.00/20.00)", "as simscan");
	str_clear(&text);
	spam_score_append_state(&text, "CLEAN", 0, 500, SPAM_SCORE_NEVER);
	is_text(text.data, "CLEAN (0.00/5.00/-)", "without a level");
	str_free(&text);
}

int main(void)
{
	scores();
	return done_testing();
}
