/* SPDX-License-Identifier: ISC */
#include "dot_qmail.h"

#include <stdbool.h>
#include <string.h>

static const char blanks[] = " \t\r";

static bool is_word(const char *word, size_t length, const char *wanted)
{
	return length == strlen(wanted) && memcmp(word, wanted, length) == 0;
}

/* What unknown names get is vdelivermail's last argument. */
static unsigned use_of_vdelivermail(const char *line)
{
	size_t length = strlen(line), word;

	while (length > 0 && strchr(blanks, line[length - 1])) length--;
	for (word = length; word > 0 && !strchr(blanks, line[word - 1]);)
		word--;
	if (is_word(line + word, length - word, "bounce-no-mailbox") ||
	    is_word(line + word, length - word, "delete"))
		return DOT_QMAIL_HAS_MAILBOXES;
	return DOT_QMAIL_HAS_MAILBOXES | DOT_QMAIL_TAKES_ALL;
}

/* bouncesaying with its one argument, the text; with another, a program, it
   depends. */
static bool bounces(const char *line)
{
	const char *word = line + strspn(line, blanks), *name = word;
	size_t length = strcspn(word, blanks);

	for (size_t i = 0; i < length; i++)
		if (word[i] == '/') name = word + i + 1;
	if (!is_word(name, (size_t)(word + length - name), "bouncesaying"))
		return false;
	word += length;
	word += strspn(word, blanks);
	if (*word == '\'' || *word == '"') {
		const char *end = strchr(word + 1, *word);

		if (!end) return false;
		word = end + 1;
	} else {
		word += strcspn(word, blanks);
	}
	return word[strspn(word, blanks)] == '\0';
}

unsigned dot_qmail_use(char *instructions)
{
	unsigned use = DOT_QMAIL_TAKES_NONE;
	bool is_first = true;

	for (char *line = strtok(instructions, "\n"); line;
	     line = strtok(NULL, "\n")) {
		line += strspn(line, blanks);
		if (!*line || *line == '#') continue;
		if (*line != '|') use |= DOT_QMAIL_TAKES_ALL;
		else if (is_first && bounces(line + 1))
			return DOT_QMAIL_TAKES_NONE;
		else if (strstr(line, "vdelivermail"))
			use |= use_of_vdelivermail(line);
		is_first = false;
	}
	/* Some other program, or nothing at all: the default delivery. */
	return use == DOT_QMAIL_TAKES_NONE ? DOT_QMAIL_TAKES_ALL : use;
}
