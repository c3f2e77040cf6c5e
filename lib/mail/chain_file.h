/* The words of a file that names a chain of queue stages (queue-chain(8)). Blanks,
   comments, quotes and backslashes are the shell's; what takes more than that to
   be understood is an error, and not a word that means something else.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_CHAIN_FILE_H
#define MAIL_CHAIN_FILE_H

#include <stdbool.h>

#include "base/str.h"

enum chain_word {
	CHAIN_WORD,
	CHAIN_END,
	CHAIN_SHELL, /* only a shell understands this */
};

/* The next word of a text that ends in LF, into `word`, with a NUL that its length
   does not count; `*at` moves behind it. At CHAIN_SHELL `*at` stays where the word
   begins. */
enum chain_word chain_next_word(const char **at, struct str *word);

/* NAME=VALUE, as a shell takes it in front of a command. */
bool chain_is_setting(const char *word);

#endif
