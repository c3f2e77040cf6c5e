/* The lists of expressions: which line means a text, that lines decided without
   libc are decided as libc would, and what a bad line does.
   SPDX-License-Identifier: ISC */
#include "mail/pattern_list.h"

#include <regex.h>
#include <string.h>

#include "tap.h"

/* Lines are separated by spaces here. */
static struct pattern_list list_of(const char *lines)
{
	struct pattern_list list = { 0 };

	str_append_text(&list.lines, lines);
	str_append_byte(&list.lines, '\0');
	for (size_t i = 0; i < list.lines.length; i++)
		if (list.lines.data[i] == ' ') list.lines.data[i] = '\0';
	return list;
}

static const struct {
	const char *lines;
	const char *text;
	const char *match;
	const char *name;
} rows[] = {
	{ "@spam.com", "joe@spam.com", "@spam.com", "a domain" },
	{ "@spam.com", "joe@ham.com", NULL, "another domain" },
	{ "@spam.com", "Joe@SPAM.Com", "@spam.com", "capitals in the text" },
	{ "@SPAM.com", "joe@spam.com", "@SPAM.com", "capitals in the line" },
	{ "@spam.com", "joe@spam.com.au", "@spam.com", "fits anywhere" },
	{ "@spam.com", "joe@spamxcom", "@spam.com", "a dot is any byte" },
	{ "joe@a_b-c.d", "joe@a_b-c.d", "joe@a_b-c.d", "'_' and '-'" },
	{ "a@b c@d e@f", "c@d", "c@d", "the line that fits is given" },
	{ "a@ a@b", "a@b", "a@", "the first of them" },
	{ "^a@b$", "a@b", "^a@b$", "the whole text" },
	{ "^a@b$", "a@bc", NULL, "not more of it" },
	{ "^a@b$", "xa@b", NULL, "nor before it" },
	{ "\\.ru$", "joe@x.ru", "\\.ru$", "a dot of its own" },
	{ "\\.ru$", "joe@xru", NULL, "is no other byte" },
	{ "^.*@.*\\.ru$", "joe@x.ru", "^.*@.*\\.ru$", "with gaps" },
	{ "a.*bc$", "a-bc-bc", "a.*bc$", "the last part is at the end" },
	{ "^a.*b.*c$", "a", NULL, "parts need room" },
	{ "bc.*ab", "abcxx", NULL, "and stand in their order" },
	{ "[0-9]{6,}@aol\\.com", "1234567@aol.com", "[0-9]{6,}@aol\\.com",
	  "one for libc" },
	{ "[0-9]{6,}@aol\\.com", "1234@aol.com", NULL, "that does not fit" },
	{ "(bob|eve)@ x@y [a-c]z", "cz", "[a-c]z", "several for libc" },
	{ "!@", "joe", "!@", "what has no '@'" },
	{ "!@", "joe@x", NULL, "what has one" },
	{ "!^[a-z.]+@", "j0e@x", "!^[a-z.]+@", "not this expression" },
	{ "!^[a-z.]+@", "joe@x", NULL, "this expression" },
	{ "!x y", "axb", NULL, "a '!' that does not mean it" },
	{ "joe+tag@spam.com", "joe+tag@spam.com", "joe+tag@spam.com",
	  "an old line with a '+'" },
	{ "joe+tag@spam.com", "joeeetag@spam.com", "joe+tag@spam.com",
	  "is an expression as well" },
	{ "@a+b.c", "joe@A+B.c", "@a+b.c", "an old line for a host" },
	{ "(joe@spam.com", "Joe@spam.com", "(joe@spam.com", NULL },
	{ "(@spam.com", "joe@spam.com", NULL, "a bad line does not fit" },
	{ "!(@spam.com", "joe@ham.com", NULL, "nor does it with a '!'" },
	{ "a[ a@b", "a@b", "a@b", "lines behind a bad one count" },
	{ "\xc3\xbc", "x\xc3\xbcy", "\xc3\xbc", "bytes beyond ASCII" },
	{ "a...b", "a\xc3\xbc-b", "a...b", "are one dot each" },
	{ "x", "", NULL, "an empty text" },
	{ "^$", "", "^$", "which can be meant" },
	{ "^$", "a", NULL, "alone" },
};

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct pattern_list list = list_of(rows[i].lines);
		bool bad = rows[i].name == NULL;

		/* "(joe..." means its own letters only with the '('. */
		if (bad) {
			is_text(pattern_list_match(&list, rows[i].text), NULL,
				"a bad line means no other text");
			is_text(pattern_list_match(&list, "(joe@SPAM.com"),
				rows[i].match, "but its own letters");
		} else {
			is_text(pattern_list_match(&list, rows[i].text),
				rows[i].match, rows[i].name);
			is_text(pattern_list_match(&list, rows[i].text),
				rows[i].match, "and once more");
		}
		pattern_list_free(&list);
	}
}

/* Every one of these lines against every one of these texts. */
static const char *const simple[] = {
	"a",    "ab",      "a.b",    ".",       "..",   "^a",      "a$",
	"^a$",  "^",       "$",      "^$",      ".*",   "a.*b",    "^a.*b$",
	".*a",  "a.*",     "\\.",    "a\\.b",   "\\$",  "\\^a",    "a\\\\b",
	"^.*$", "a.*b.*a", "ba.*ab", "a.b.*b",  "^..$", "b.*.",    ".*.*a",
	"@a.b", "\\-\\@",  "\\+",    "\\(a\\)", "a]",   "}a",      "-_=/%",
	"a\\$", "^a.*",    "^.*a",   ".*b$",    "a.*$", "\\[a\\]", "\\{\\}",
	"\\|",  "\\*\\?",  "\\_\\/", "\\.\\.$", "^\\.", "^a.*ab$", "a..*b",
};
static const char *const texts[] = {
	"",       "a",     "b",     "ab",   "ba",    "aab",     "abb",  "a.b",
	"A.B",    "axb",   "aba",   "abab", "ab.ab", ".",       "..",   "$",
	"^a",     "a\\b",  "x@a.b", "-@",   "+",     "(a)",     "a]",   "}a",
	"x-_=/%", "a$",    "[A]",   "{}",   "|",     "*?",      "_/",   "b..",
	"aa",     "aaabb", "bab",   "a\nb", "\xff",  "a\xff-b", "abba",
};

static void test_as_libc(void)
{
	for (size_t i = 0; i < sizeof simple / sizeof *simple; i++) {
		struct pattern_list list = list_of(simple[i]);
		bool same = true;
		regex_t regex;

		if (regcomp(&regex, simple[i],
			    REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0) {
			printf("# libc does not know %s\n", simple[i]);
			continue;
		}
		for (size_t j = 0; j < sizeof texts / sizeof *texts; j++) {
			bool fits = regexec(&regex, texts[j], 0, NULL, 0) == 0;

			/* Its own letters are for test_rows. */
			if (strcasecmp(simple[i], texts[j]) == 0) continue;
			if (fits == !!pattern_list_match(&list, texts[j]))
				continue;
			same = false;
			tap_show("text:", texts[j], strlen(texts[j]));
		}
		if (!ok(same && !list.compiled, "decided as libc does it"))
			printf("# line: %s\n", simple[i]);
		regfree(&regex);
		pattern_list_free(&list);
	}
}

static void test_bad_lines(void)
{
	struct pattern_list list = list_of("a( b@c !*[ (d");

	is_text(pattern_list_bad_line(&list), NULL,
		"none before the first use");
	is_text(pattern_list_match(&list, "b@c"), "b@c", "up to b@c");
	is_text(pattern_list_bad_line(&list), "a(", "the one before it");
	is_text(pattern_list_bad_line(&list), NULL, "once");
	is_text(pattern_list_match(&list, "x"), NULL, "through all");
	is_text(pattern_list_bad_line(&list), "!*[", "the second");
	is_text(pattern_list_bad_line(&list), "(d", "the third");
	is_text(pattern_list_bad_line(&list), NULL, "no other");
	pattern_list_free(&list);
}

static void test_lengths(void)
{
	static char text[3 * PATTERN_TEXT_LIMIT];
	struct pattern_list list = { 0 };

	is_text(pattern_list_match(&list, "a@b"), NULL, "an empty list");
	is_text(pattern_list_bad_line(&list), NULL, "has no bad lines");
	list = list_of("@x$ end (a*)*b");
	memset(text, 'a', sizeof text - 1);
	memcpy(text + PATTERN_TEXT_LIMIT - 2, "@x", 2);
	memcpy(text + sizeof text - 5, "end", 3);
	is_text(pattern_list_match(&list, text), "@x$",
		"a text ends at the limit");
	memcpy(text + PATTERN_TEXT_LIMIT - 2, "aa", 2);
	is_text(pattern_list_match(&list, text), NULL, "nothing behind it");
	pattern_list_free(&list);
}

int main(void)
{
	test_rows();
	test_as_libc();
	test_bad_lines();
	test_lengths();
	return done_testing();
}
