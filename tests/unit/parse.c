/* Numbers and words out of text: the strict and the lenient form.
   SPDX-License-Identifier: ISC */
#include "base/parse.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "tap.h"

static void test_strict(void)
{
	static const struct {
		const char *text;
		unsigned long minimum, maximum;
		int cause; /* 0: it is a number */
		unsigned long wanted;
	} rows[] = {
		{ "0", 0, 10, 0, 0 },
		{ "10", 0, 10, 0, 10 },
		{ "007", 0, 10, 0, 7 },
		{ "11", 0, 10, ERANGE, 0 },
		{ "4", 5, 10, ERANGE, 0 },
		{ "5", 5, 5, 0, 5 },
		{ "", 0, 10, EINVAL, 0 },
		{ " 1", 0, 10, EINVAL, 0 },
		{ "1 ", 0, 10, EINVAL, 0 },
		{ "+1", 0, 10, EINVAL, 0 },
		{ "-1", 0, 10, EINVAL, 0 },
		{ "1x", 0, 10, EINVAL, 0 },
		{ "0x1", 0, 10, EINVAL, 0 },
		{ "1.0", 0, 10, EINVAL, 0 },
		{ "abc", 0, 10, EINVAL, 0 },
		{ "4294967296", 0, 10, ERANGE, 0 },
		{ "18446744073709551616", 0, 10, ERANGE, 0 },
		{ "99999999999999999999999999", 0, 10, ERANGE, 0 },
		{ "4294967295", 0, ULONG_MAX, 0, 4294967295 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsigned long number = 77;
		int result;

		errno = 0;
		result = parse_number(rows[i].text, rows[i].minimum,
				      rows[i].maximum, &number);
		ok(result == (rows[i].cause ? -1 : 0) &&
			   errno == rows[i].cause &&
			   number == (rows[i].cause ? 77 : rows[i].wanted),
		   rows[i].text);
	}
}

static void test_lenient(void)
{
	static const struct {
		const char *text;
		bool found;
		unsigned long wanted;
	} rows[] = {
		{ "12", true, 12 },
		{ "12abc", true, 12 },
		{ "12 34", true, 12 },
		{ "0", true, 0 },
		{ "99999999999999999999999999", true, ULONG_MAX },
		{ "", false, 77 },
		{ "x1", false, 77 },
		{ " 1", false, 77 },
		{ "-1", false, 77 },
	};
	unsigned long number = 77;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		number = 77;
		ok(parse_leading_number(rows[i].text, &number) ==
				   rows[i].found &&
			   number == rows[i].wanted,
		   rows[i].text);
	}
	number = 77;
	ok(!parse_leading_number(NULL, &number) && number == 77,
	   "no text is no number");
}

static void test_descriptors(void)
{
	ok(parse_descriptor("3") == 3, "the first above standard error");
	ok(parse_descriptor("2147483647") == INT_MAX, "the greatest");
	ok(parse_descriptor("2147483648") == -1, "too great");
	ok(parse_descriptor("2") == -1, "standard error is none");
	ok(parse_descriptor("-1") == -1, "nor is -1");
	ok(parse_descriptor("3x") == -1, "nor 3x");
	ok(parse_descriptor("") == -1, "nor an empty text");
	errno = 0;
	ok(parse_descriptor(NULL) == -1 && errno == EINVAL, "nor no text");
}

static void test_words(void)
{
	ok(parse_flag("1"), "1 is a flag");
	ok(parse_flag("2x"), "2x is one");
	ok(!parse_flag("0"), "0 is none");
	ok(!parse_flag(""), "an empty text is none");
	ok(!parse_flag("yes"), "yes is none");
	ok(!parse_flag(NULL), "no text is none");
	ok(parse_same_word("MAIL FROM", 4, "mail"), "any case");
	ok(parse_same_word("x", 0, ""), "both empty");
	ok(!parse_same_word("mail", 4, "mai"), "longer");
	ok(!parse_same_word("mai", 3, "mail"), "shorter");
	ok(!parse_same_word("mai\0", 4, "mail"), "a NUL is no letter");
	ok(!parse_same_word("m\xc3il", 4, "m\xe3il"), "ASCII letters only");
	ok(!parse_same_word("[", 1, "{"), "letters only");
}

static void test_cuts(void)
{
	char text[] = "a:bc::d";
	char *rest = text, *word;

	word = parse_cut(&rest, ':');
	ok(word && strcmp(word, "a") == 0 && strcmp(rest, "bc::d") == 0,
	   "up to the mark");
	ok(parse_cut(&rest, ':') && rest == text + 5, "the next one");
	word = parse_cut(&rest, ':');
	ok(word && *word == '\0' && strcmp(rest, "d") == 0, "an empty one");
	ok(!parse_cut(&rest, ':') && strcmp(rest, "d") == 0, "no more marks");
}

int main(void)
{
	test_strict();
	test_lenient();
	test_descriptors();
	test_words();
	test_cuts();
	return done_testing();
}
