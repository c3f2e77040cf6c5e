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

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/str.h"
#include "mail/chain_file.h"
#include "mail/stage.h"
#include "system/file.h"

enum { FILE_LIMIT = 65536, WORD_LIMIT = 1024 };

static const char synopsis[] = "queue-chain file";

static _Noreturn void die_of_file(const char *path, const char *why)
{
	note("fatal: %s: %s", path, why);
	exit(QUEUE_CANNOT_READ_SETTINGS);
}

/* A word before the first stage: a setting, or nothing that counts. */
static bool is_before_stages(char *word)
{
	if (strcmp(word, "exec") == 0 || strcmp(word, "export") == 0)
		return true;
	if (!chain_is_setting(word)) return false;
	if (putenv(word) != 0) str_die_of_memory();
	return true;
}

/* Where `at` is, for a person. */
static _Noreturn void die_of_line(const char *path, const char *from,
				  const char *at)
{
	size_t line = 1;

	for (; from < at; from++)
		if (*from == '\n') line++;
	note("fatal: %s: line %zu: only a shell understands this", path, line);
	exit(QUEUE_CANNOT_READ_SETTINGS);
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
	at = file.data;
	for (;;) {
		struct str word = { 0 }; /* it stays */
		enum chain_word kind = chain_next_word(&at, &word);

		if (kind == CHAIN_END) break;
		if (kind == CHAIN_SHELL) die_of_line(path, file.data, at);
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
