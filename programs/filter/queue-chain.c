/* queue-chain: runs the chain of queue stages that a file names. $QMAILQUEUE is
   one path without arguments, so a chain has always been a script of the
   shell's; but a shell takes longer to start than five stages together. Made for
   the first line of such a file:

       #!/var/qmail/bin/queue-chain
       SPAMD_SOCKET=127.0.0.1:783
       exec filter-clamd -o filter-spamd -R 10 qmail-queue

   All its words are one command line, whatever lines they stand on; NAME=VALUE
   before the first of them is a setting. Quotes and backslashes are the shell's,
   "exec" and "export" in front are left out, so the same file works with either;
   what only a shell understands is an error. It touches no descriptor. Exit: 55 when the
   file is not to be read or understood, 120 when its first stage cannot be run.
   SPDX-License-Identifier: ISC */

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/str.h"
#include "mail/stage.h"
#include "system/file.h"

enum { FILE_LIMIT = 65536, WORD_LIMIT = 1024 };

static const char synopsis[] = "queue-chain file";

static _Noreturn void die_of_file(const char *path, const char *why)
{
	note("fatal: %s: %s", path, why);
	exit(QUEUE_CANNOT_READ_SETTINGS);
}

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

static bool is_setting(const char *word)
{
	size_t length = strcspn(word, "=");

	if (length == 0 || word[length] != '=') return false;
	if (isdigit((unsigned char)*word)) return false;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)word[i]) && word[i] != '_')
			return false;
	return true;
}

/* A word before the first stage: a setting, or nothing that counts. */
static bool is_before_stages(char *word)
{
	if (strcmp(word, "exec") == 0 || strcmp(word, "export") == 0)
		return true;
	if (!is_setting(word)) return false;
	if (putenv(word) != 0) str_die_of_memory();
	return true;
}

static void read_stages(const char *path, char *stages[WORD_LIMIT + 1])
{
	struct str file = { 0 };
	const char *at;
	size_t count = 0;

	if (file_read(path, &file, FILE_LIMIT) < 0)
		die_of_file(path, error_text(errno));
	str_append_text(&file, "\n");
	if (strlen(file.data) != file.length)
		die_of_file(path, "has a NUL in it");
	for (at = skip_blanks(file.data); *at; at = skip_blanks(at)) {
		struct str word = { 0 };

		str_reserve(&word, 1);
		*word.data = '\0';
		at = take_word(at, &word);
		if (!at) die_of_file(path, "only a shell understands this");
		if (count == 0 && is_before_stages(word.data)) continue;
		if (count == WORD_LIMIT)
			die_of_file(path, "has too many words");
		stages[count++] = word.data;
	}
	if (count == 0) die_of_file(path, "names no stage");
	stages[count] = NULL;
	str_free(&file);
}

int main(int argc, char **argv)
{
	static char *stages[WORD_LIMIT + 1];

	program_name = "queue-chain";
	str_memory_exit = QUEUE_OUT_OF_MEMORY;
	if (argc < 2) die_usage(synopsis);
	read_stages(argv[1], stages);
	return (int)stage_exec(stages);
}
