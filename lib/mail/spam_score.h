/* A spam score, as SpamAssassin and rspamd write it: "-0.35", "5", ".5". It is a
   number of hundredths here: more digits say nothing, and whole numbers compare as
   they look.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_SPAM_SCORE_H
#define MAIL_SPAM_SCORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum {
	SPAM_SCORE_LIMIT =
		100000000, /* up and down; what is beyond becomes it */
	/* In the place of a level: no score is as high. */
	SPAM_SCORE_NEVER = SPAM_SCORE_LIMIT + 1,
};

/* The score that begins at `at`, and where it ends; NULL when none begins there.
   Digits behind the second one are cut off. */
const char *spam_score_take(const char *at, const char *end, long *score);

/* False, and nothing is changed, when the text is no score. */
bool spam_score_parse(const char *text, size_t length, long *score);

/* With two decimals; "-" for SPAM_SCORE_NEVER. */
void spam_score_append(struct str *, long score);

/* simscan's "WORD (HITS/REQUIRED/REJECTLEVEL)", for its line in the log. */
void spam_score_append_state(struct str *, const char *word, long score,
			     long required, long reject);

#endif
