/* SPDX-License-Identifier: ISC */
#include "base/options.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"
#include "base/parse.h"
#include "base/str.h"

enum { MOST_LETTERS = 96 }; /* more letters than ASCII has */

int option_next(int argc, char **argv, const char *letters,
		const char *synopsis)
{
	/* "+" stops at the first word, ":" tells a missing argument apart. Not by
	   printf: most programs of a chain need it for nothing else. */
	char stopping[MOST_LETTERS + 3] = "+:";
	int letter;

	memcpy(stopping + 2, letters, strnlen(letters, MOST_LETTERS));
	opterr = 0;
	letter = getopt(argc, argv, stopping);
	if (letter != '?' && letter != ':') return letter;
	note(letter == '?' ? "illegal option -- %c"
			   : "option requires an argument -- %c",
	     optopt > 32 && optopt < 127 ? optopt : '?');
	die_usage(synopsis);
}

unsigned long option_number(int letter, unsigned long minimum,
			    unsigned long maximum, const char *synopsis)
{
	unsigned long number;

	if (parse_number(optarg, minimum, maximum, &number) == 0) return number;
	note("option -%c takes a number from %lu to %lu", letter, minimum,
	     maximum);
	die_usage(synopsis);
}

char **option_words(const char *variable, int *argc, char **argv)
{
	static char *words[OPTION_WORDS + 2];
	static struct str text;
	const char *value = getenv(variable);
	char *rest, *word;

	if (*argc != 1 || !value) return argv;
	str_append_text(&text, value);
	rest = text.data;
	words[0] = argv[0];
	while ((word = strsep(&rest, " \t\n"))) {
		if (!*word) continue;
		if (*argc > OPTION_WORDS)
			die_permanent("more than %d words in $%s", OPTION_WORDS,
				      variable);
		words[(*argc)++] = word;
	}
	return words;
}
