/* tcprules: compiles access rules for tcpserver into a cdb, which replaces the
   old one in one step, so it may run while tcpserver is serving.
   The surprise: a line without a colon is no error. It is passed over with a
   warning (older tcprules says nothing at all); a line with a colon that is no
   rule stops everything, and the old cdb stays.
   Takes the rules on standard input (tcprules(1) has the format), a line of at
   most LONGEST_LINE bytes. 100: wrong use or a line that is no rule. 111:
   cannot read or write; the temporary file is left behind.
   SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "base/str.h"
#include "mail/rules.h"
#include "system/file.h"
#include "system/table.h"

static const char usage[] = "tcprules rules.cdb rules.tmp";

enum {
	LONGEST_LINE = 1048576,
	READ_AT_ONCE = 65536,
	SHOWN_NAME = 512,
	SHOWN_LINE = 1536, /* a message has room for some more than this */
};

struct input {
	char buffer[READ_AT_ONCE];
	size_t at;
	size_t filled;
	struct str split; /* a line that the buffer does not hold whole */
	const char *line;
	size_t length;
	unsigned long number;
};

struct output {
	const char *path; /* as a message may show it */
	struct table_maker maker;
};

/* Messages. */

static const char *shown_name(char room[SHOWN_NAME], const char *path)
{
	return printable_text(room, SHOWN_NAME, path);
}

static const char *shown_line(char room[SHOWN_LINE], const struct input *input)
{
	char line[SHOWN_LINE + 1];
	size_t length = input->length < SHOWN_LINE ? input->length : SHOWN_LINE;

	for (size_t i = 0; i < length; i++)
		line[i] = input->line[i] ? input->line[i] : '?';
	line[length] = '\0';
	return printable_text(room, SHOWN_LINE, line);
}

static void warn_no_colon(const struct input *input)
{
	char room[SHOWN_LINE];

	warn("line %lu has no colon, ignored: %s", input->number,
	     shown_line(room, input));
}

/* The first message is the one that older tcprules gives, word for word. */
static _Noreturn void refuse_line(const struct input *input,
				  const char *mistake)
{
	char room[SHOWN_LINE];

	note("fatal: unable to parse this line: %s", shown_line(room, input));
	die_permanent("line %lu: %s", input->number, mistake);
}

static _Noreturn void fail_to_write(const struct output *output)
{
	die_temporary("unable to write to %s:", output->path);
}

/* Reading. */

static bool fill(struct input *input)
{
	ssize_t n;

	do n = read(STDIN_FILENO, input->buffer, sizeof input->buffer);
	while (n < 0 && errno == EINTR);
	if (n < 0) die_temporary("unable to read input:");
	input->at = 0;
	input->filled = (size_t)n;
	return n > 0;
}

/* The line begins in the buffer and does not end there. */
static void read_split_line(struct input *input)
{
	const char *newline;

	str_clear(&input->split);
	do {
		const char *from = input->buffer + input->at;
		size_t left = input->filled - input->at;

		newline = memchr(from, '\n', left);
		if (newline) left = (size_t)(newline - from);
		str_append(&input->split, from, left);
		input->at += newline ? left + 1 : left;
		input->line = input->split.data;
		input->length = input->split.length;
		if (input->length > LONGEST_LINE)
			refuse_line(input, "it is too long");
	} while (!newline && fill(input));
}

/* The next line, without its newline; false at the end. A last line needs no
   newline. */
static bool next_line(struct input *input)
{
	const char *newline;

	if (input->at == input->filled && !fill(input)) return false;
	input->number++;
	input->line = input->buffer + input->at;
	newline = memchr(input->line, '\n', input->filled - input->at);
	if (newline) {
		input->length = (size_t)(newline - input->line);
		input->at += input->length + 1;
	} else {
		read_split_line(input);
	}
	return true;
}

/* Writing. */

static void add_rule(struct output *output, struct rules_rule *rule)
{
	const char *key;
	size_t length;

	while (rules_next_key(rule, &key, &length))
		if (table_make_add(&output->maker, key, length, rule->data.data,
				   rule->data.length) < 0)
			fail_to_write(output);
}

static void compile(struct input *input, struct output *output)
{
	struct rules_rule rule = { 0 };

	while (next_line(input)) {
		switch (rules_parse_line(input->line, input->length, &rule)) {
		case RULES_NOTHING: break;
		case RULES_NO_COLON: warn_no_colon(input); break;
		case RULES_RULE: add_rule(output, &rule); break;
		case RULES_MALFORMED: refuse_line(input, rule.mistake);
		}
	}
}

/* A closed standard descriptor must not become the temporary file, which would
   then be read as the rules or get the messages. */
static void need_descriptors(void)
{
	if (fcntl(STDIN_FILENO, F_GETFD) < 0)
		die_temporary("unable to read input:");
	while (fcntl(STDERR_FILENO, F_GETFD) < 0)
		if (open("/dev/null", O_RDWR) < 0)
			die_temporary("unable to open /dev/null:");
}

int main(int argc, char **argv)
{
	static struct input input;
	char cdb_shown[SHOWN_NAME], temporary_shown[SHOWN_NAME];
	struct output output = { 0 };
	const char *cdb, *temporary;
	int fd;

	program_name = "tcprules";
	option_next(argc, argv, "", usage);
	if (argc - optind != 2) die_usage(usage);
	cdb = argv[optind];
	temporary = argv[optind + 1];
	output.path = shown_name(temporary_shown, temporary);

	need_descriptors();
	fd = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0) die_temporary("unable to create %s:", output.path);
	if (table_make_start(&output.maker, fd) < 0) fail_to_write(&output);
	compile(&input, &output);
	if (table_make_finish(&output.maker) < 0) fail_to_write(&output);
	if (fsync(fd) < 0 || close(fd) < 0) fail_to_write(&output);
	if (rename(temporary, cdb) < 0)
		die_temporary("unable to move %s to %s:", output.path,
			      shown_name(cdb_shown, cdb));
	/* The rules are in force by now: a folder that cannot be flushed (it may
	   be writable only) is worth a warning, not an error. */
	if (file_sync_folder_of(cdb) < 0)
		warn("unable to flush the folder of the new file:");
	return EXIT_DONE;
}
