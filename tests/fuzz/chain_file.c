/* chain_file: any bytes as the file of a chain. Words end, stand in the text in
   their order, and, written with the quotes of a shell, are read as they were. A
   word with a character that would mean something to a shell had quotes.
   SPDX-License-Identifier: ISC */
#include "mail/chain_file.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void write_quoted(struct str *text, const struct str *word)
{
	str_append_byte(text, '\'');
	for (size_t i = 0; i < word->length; i++) {
		if (word->data[i] == '\'') str_append_text(text, "'\\''");
		else str_append_byte(text, word->data[i]);
	}
	str_append_text(text, "'\n");
}

static void check_word(const struct str *word, const char *from, const char *at)
{
	static const char quoting[] = "'\"\\";
	size_t length = (size_t)(at - from);

	if (strlen(word->data) != word->length || word->length > length)
		__builtin_trap();
	for (size_t i = 0; i < length; i++)
		if (strchr(quoting, from[i])) return;
	if (strpbrk(word->data, "$`;|&<>()*?[{}~! \t\n")) __builtin_trap();
}

static void check_setting(const struct str *word)
{
	if (chain_is_setting(word->data) &&
	    (*word->data == '=' || !strchr(word->data, '=')))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct str text = { 0 }, again = { 0 }, word = { 0 }, other = { 0 };
	enum chain_word kind;
	const char *at, *before, *here;

	str_append(&text, bytes, length);
	str_append_byte(&text, '\n');
	at = before = text.data;
	str_reserve(&again, 1);
	*again.data = '\0';
	while ((kind = chain_next_word(&at, &word)) == CHAIN_WORD) {
		if (at <= before || at > text.data + strlen(text.data))
			__builtin_trap();
		check_word(&word, before, at);
		check_setting(&word);
		before = at;
		str_clear(&again);
		write_quoted(&again, &word);
		here = again.data;
		if (chain_next_word(&here, &other) != CHAIN_WORD ||
		    strcmp(other.data, word.data) != 0 ||
		    chain_next_word(&here, &other) != CHAIN_END)
			__builtin_trap();
	}
	if (kind == CHAIN_SHELL && (at < before || !*at)) __builtin_trap();
	str_free(&text);
	str_free(&again);
	str_free(&word);
	str_free(&other);
	return 0;
}
