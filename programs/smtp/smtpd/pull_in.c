/* SPDX-License-Identifier: ISC */
#include "pull_in.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "system/process.h"

/* Words of our own command line, whose longest form has a handful. */
enum { WORDS_LIMIT = 64 };

void pull_in(const char *stage, const char *option, int argc, char **argv)
{
	struct str name = { 0 }, word = { 0 };
	char *words[WORDS_LIMIT + 3];
	size_t count = 1;

	str_append_text(&name, stage);
	memset(words, 0, sizeof words);
	words[0] = name.data;
	if (option) {
		str_append_text(&word, option);
		words[count++] = word.data;
	}
	for (int i = 0; i < argc && i < WORDS_LIMIT; i++)
		words[count++] = argv[i];
	process_exec(words, environ, getenv("PATH"));
	if (process_beside(&name, stage) < 0) return;
	words[0] = name.data;
	process_exec(words, environ, NULL);
}
