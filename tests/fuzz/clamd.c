/* clamd's answers: whatever comes, what is kept of it is printable and ends; a
   verdict is given for a whole line only, and of one that is cut there is none.
   SPDX-License-Identifier: ISC */
#include "mail/clamd.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check(bool truth)
{
	if (!truth) __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct clamd_reply reply, cut;
	char *copy = malloc(length + 1);

	if (length) memcpy(copy, bytes, length);
	clamd_parse(copy, length, &reply);
	check(memchr(reply.text, '\0', sizeof reply.text) != NULL);
	for (const char *at = reply.text; *at; at++)
		check(*at >= ' ' && *at <= '~');
	if (reply.verdict != CLAMD_FAILED) {
		check(clamd_is_whole(copy, length));
		check(!clamd_is_whole(copy, length - 1));
		check(reply.text[0] != '\0');
		clamd_parse(copy, length - 1, &cut);
		check(cut.verdict == CLAMD_FAILED);
		copy[length] = 'x';
		clamd_parse(copy, length + 1, &cut);
		check(cut.verdict == CLAMD_FAILED);
	}
	free(copy);
	return 0;
}
