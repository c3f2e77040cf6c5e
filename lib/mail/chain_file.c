/* SPDX-License-Identifier: ISC */
#include "mail/chain_file.h"

#include <ctype.h>
#include <string.h>

/* Blanks, ends of lines however they are hidden, and comments. */
static const char *skip_blanks(const char *at)
{
	for (;;) {
		if (*at == ' ' || *at == '\t' || *at == '\n') at++;
		else if (at[0] == '\\' && at[1] == '\n') at += 2;
		else if (*at == '#') at += strcspn(at, "\n");
		else return at;
	}
}

/* What is between two quotes; NULL when the second one is missing. */
static const char *take_quoted(const char *at, struct str *word)
{
	char quote = *at++;

	for (; *at && *at != quote; at++) {
		if (quote == '"' && *at == '\\' && at[1] &&
		    strchr("\"\\$`\n", at[1])) {
			if (*++at != '\n') str_append_byte(word, *at);
			continue;
		}
		if (quote == '"' && (*at == '$' || *at == '`')) return NULL;
		str_append_byte(word, *at);
	}
	return *at ? at + 1 : NULL;
}

/* The next word, behind which it returns; NULL when that takes a shell. */
static const char *take_word(const char *at, struct str *word)
{
	while (*at && !strchr(" \t\n", *at)) {
		if (*at == '\'' || *at == '"') {
			at = take_quoted(at, word);
			if (!at) return NULL;
		} else if (*at == '\\') {
			if (!at[1]) return NULL;
			if (at[1] != '\n') str_append_byte(word, at[1]);
			at += 2;
		} else if (strchr("$`;|&<>()*?[{}~!", *at)) {
			return NULL;
		} else {
			str_append_byte(word, *at++);
		}
	}
	return at;
}

enum chain_word chain_next_word(const char **at, struct str *word)
{
	const char *behind;

	str_clear(word);
	str_reserve(word, 1);
	*word->data = '\0';
	*at = skip_blanks(*at);
	if (!**at) return CHAIN_END;
	behind = take_word(*at, word);
	if (!behind) return CHAIN_SHELL;
	*at = behind;
	return CHAIN_WORD;
}

bool chain_is_setting(const char *word)
{
	size_t length = strcspn(word, "=");

	if (length == 0 || word[length] != '=') return false;
	if (isdigit((unsigned char)*word)) return false;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)word[i]) && word[i] != '_')
			return false;
	return true;
}
