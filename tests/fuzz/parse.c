/* Numbers and words: the strict and the lenient form agree with strtoul where
   both take the text.
   SPDX-License-Identifier: ISC */
#include "base/parse.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_numbers(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long wanted, strict = 1, lenient = 1;
	bool too_large;

	errno = 0;
	wanted = digits ? strtoul(text, NULL, 10) : 1;
	too_large = errno == ERANGE;
	if (parse_leading_number(text, &lenient) != (digits > 0))
		__builtin_trap();
	if (lenient != wanted) __builtin_trap();
	if (parse_number(text, 0, ULONG_MAX - 1, &strict) == 0) {
		if (text[digits] || !digits || too_large || strict != wanted)
			__builtin_trap();
	} else if (digits && !text[digits] && wanted < ULONG_MAX) {
		__builtin_trap();
	}
	if (parse_number(text, 5, 1000, &strict) == 0 &&
	    (strict < 5 || strict > 1000))
		__builtin_trap();
	if (parse_flag(text) != (digits && wanted > 0)) __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	char *text = malloc(length + 1);
	char *exact = malloc(length ? length : 1);

	memcpy(text, bytes, length);
	memcpy(exact, bytes, length);
	text[length] = '\0';
	check_numbers(text);
	/* Without its NUL: a read behind the end is seen. */
	if (parse_same_word(exact, length, text) != (strlen(text) == length))
		__builtin_trap();
	parse_same_word(exact, length, "starttls");
	free(exact);
	free(text);
	return 0;
}
