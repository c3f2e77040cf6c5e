/* A refused client's words: the same lines and answers come out however the
   input is cut, each LF gives just one, what the log gets is printable and
   fits, and a word alone decides, not what is behind its first space. The first
   byte says how long the pieces are, and whether NOOP is welcome.
   SPDX-License-Identifier: ISC */
#include "mail/refusal.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_line(const struct refusal *refusal,
		       const struct refusal_line *line,
		       enum refusal_answer answer)
{
	static struct refusal_line word;
	size_t length = strlen(line->text);

	if (length != line->length || length >= REFUSAL_LINE) __builtin_trap();
	for (size_t i = 0; i < length; i++)
		if (line->text[i] < 32 || line->text[i] > 126) __builtin_trap();
	if (line->is_cut && (length != REFUSAL_LINE - 1 ||
			     strcmp(line->text + length - 3, "...") != 0))
		__builtin_trap();
	if (!refusal->noop_is_welcome && answer == REFUSAL_ANSWER_WELCOME &&
	    (line->text[0] & ~32) == 'N')
		__builtin_trap();
	word = *line;
	word.text[strcspn(word.text, " ")] = '\0';
	if (refusal_answer(refusal, &word) != answer) __builtin_trap();
	if (answer != REFUSAL_ANSWER_REFUSE && strlen(word.text) != 4)
		__builtin_trap();
}

/* A number that stands for all answers in their order. */
static uint64_t answer_all(const struct refusal *refusal, const uint8_t *bytes,
			   size_t length, size_t piece, size_t *answers)
{
	struct refusal_line line = { 0 };
	const char *at = (const char *)bytes, *end = at + length;
	uint64_t sum = 0;

	*answers = 0;
	while (at < end) {
		size_t left = (size_t)(end - at);
		const char *cut = at + (left < piece ? left : piece);
		const char *before = at;

		while (refusal_line_take(&line, &at, cut)) {
			enum refusal_answer answer =
				refusal_answer(refusal, &line);

			if (at <= before || at[-1] != '\n') __builtin_trap();
			before = at;
			check_line(refusal, &line, answer);
			sum = sum * 31 + (uint64_t)answer;
			for (size_t i = 0; i < line.length; i++)
				sum = sum * 31 + (unsigned char)line.text[i];
			++*answers;
		}
		if (at != cut) __builtin_trap();
	}
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct refusal refusal = { 0 };
	size_t piece, answers, again, wanted = 0;

	if (length == 0) return 0;
	refusal.noop_is_welcome = bytes[0] & 1;
	piece = 1 + (size_t)(bytes[0] / 2) * 7;
	bytes++;
	length--;
	for (size_t i = 0; i < length; i++) wanted += bytes[i] == '\n';
	if (answer_all(&refusal, bytes, length, 1, &answers) !=
	    answer_all(&refusal, bytes, length, piece, &again))
		__builtin_trap();
	if (answers != wanted || again != wanted) __builtin_trap();
	return 0;
}
