/* tcprules: compiles access rules for tcpserver into a cdb, which replaces the
   old one in one step, so it may run while tcpserver is serving.
   The surprise: a line without a colon is no error, nor is a rule that no
   client can match or that an earlier one hides. They are worth a warning
   (older tcprules says nothing at all); a line with a colon that is no rule
   stops everything, and the old cdb stays.
   Takes the rules on standard input (tcprules(1) has the format), a line of at
   most LONGEST_LINE bytes. 100: wrong use or a line that is no rule. 111:
   cannot read or write; the temporary file is left behind.
   SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "base/str.h"
#include "mail/rules.h"
#include "mail/rules_line.h"
#include "system/file.h"
#include "system/table_maker.h"

static const char usage[] = "tcprules [ -n ] rules.cdb rules.tmp";

enum {
	LONGEST_LINE = 1048576,
	READ_AT_ONCE = 65536,
	SHOWN_NAME = 512,
	SHOWN_LINE = 1536, /* a message has room for some more than this */
	MOST_SHOWN =
		100, /* of errors, warnings, repeats: the rest is counted */
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
	struct rules_lengths lengths;
	struct table_repeats repeats;
};

/* What is asked last, and asked by nobody once there are rules for all IPv4
   and for all IPv6 addresses. The first line of each, or 0. */
struct last_resorts {
	unsigned long all_version_4; /* 0.0.0.0/0 */
	unsigned long all_version_6; /* ::/0 */
	unsigned long domain;        /* =.example */
	unsigned long any_host;      /* = */
	unsigned long any;           /* the empty address */
};

struct findings {
	bool check_only; /* goes on behind a line that is no rule */
	unsigned long errors;
	unsigned long warnings;
	struct last_resorts last;
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

/* "line NUMBER REMARK: LINE" */
static void warn_of_line(struct findings *findings, const struct input *input,
			 const char *remark)
{
	char room[SHOWN_LINE];

	if (findings->warnings++ >= MOST_SHOWN) return;
	warn("line %lu %s: %s", input->number, remark, shown_line(room, input));
}

/* The first message is the one that older tcprules gives, word for word. */
static void show_mistake(const struct input *input, const char *mistake)
{
	char room[SHOWN_LINE];

	note("fatal: unable to parse this line: %s", shown_line(room, input));
	note("fatal: line %lu: %s", input->number, mistake);
}

static _Noreturn void refuse_line(const struct input *input,
				  const char *mistake)
{
	show_mistake(input, mistake);
	_exit(EXIT_NEVER);
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

static void add(struct output *output, const char *key, size_t length,
		const struct str *data)
{
	if (table_make_add(&output->maker, key, length, data->data,
			   data->length) < 0)
		fail_to_write(output);
}

static void add_rule(struct output *output, struct rules_rule *rule,
		     unsigned long line)
{
	const char *key;
	size_t length;

	while (rules_next_key(rule, &key, &length)) {
		table_make_number(&output->repeats, line);
		add(output, key, length, &rule->data);
	}
	rules_note_length(&output->lengths, rule);
}

static void note_first(unsigned long *first, unsigned long line)
{
	if (!*first) *first = line;
}

static void note_last_resort(struct last_resorts *last,
			     const struct rules_rule *rule, unsigned long line)
{
	const char *address = rule->address;
	size_t length = rule->address_length;

	if (length == 0) note_first(&last->any, line);
	else if (rule->family == NET_IPV4 && !rule->prefix_length)
		note_first(&last->all_version_4, line);
	else if (rule->family == NET_IPV6 && !rule->prefix_length)
		note_first(&last->all_version_6, line);
	else if (*address == '=' && length == 1)
		note_first(&last->any_host, line);
	else if (*address == '=' && address[1] == '.')
		note_first(&last->domain, line);
}

static void compile(struct input *input, struct output *output,
		    struct findings *findings)
{
	struct rules_rule rule = { 0 };
	struct str lengths = { 0 };

	while (next_line(input)) {
		switch (rules_parse_line(input->line, input->length, &rule)) {
		case RULES_NOTHING: break;
		case RULES_NO_COLON:
			warn_of_line(findings, input, "has no colon, ignored");
			break;
		case RULES_RULE:
			if (rule.remark)
				warn_of_line(findings, input, rule.remark);
			note_last_resort(&findings->last, &rule, input->number);
			add_rule(output, &rule, input->number);
			break;
		case RULES_MALFORMED:
			if (!findings->check_only)
				refuse_line(input, rule.mistake);
			if (findings->errors++ < MOST_SHOWN)
				show_mistake(input, rule.mistake);
			break;
		}
	}
	if (rules_list_lengths(&output->lengths, &lengths))
		add(output, RULES_LENGTHS_KEY, strlen(RULES_LENGTHS_KEY),
		    &lengths);
	if (table_make_finish(&output->maker, &output->repeats) < 0)
		fail_to_write(output);
}

/* What can be said only at the end. */

static void warn_of_last_resort(const struct last_resorts *last,
				unsigned long line, const char *address)
{
	if (!line || !last->all_version_4 || !last->all_version_6) return;
	warn("line %lu is never looked up, the rules of lines %lu and %lu are "
	     "for all addresses: %s",
	     line, last->all_version_4, last->all_version_6, address);
}

/* A range can repeat many addresses: that is said once. */
static void warn_of_repeats(const struct table_repeats *repeats)
{
	unsigned long line = 0, shown = 0;
	size_t i = 0;

	for (; i < repeats->used; i++) {
		const struct table_repeat *repeat = &repeats->found[i];

		if (repeat->record == line) continue;
		if (shown++ == MOST_SHOWN) break;
		line = repeat->record;
		warn("line %lu repeats an address of line %lu, which counts",
		     line, repeat->first);
	}
	if (repeats->count > i)
		warn("%zu more addresses are repeated", repeats->count - i);
}

static void sum_up(const struct findings *findings, const struct output *output)
{
	const struct last_resorts *last = &findings->last;

	if (findings->errors > MOST_SHOWN)
		note("fatal: %lu more lines are no rules",
		     findings->errors - MOST_SHOWN);
	if (findings->warnings > MOST_SHOWN)
		warn("%lu more lines are worth a warning",
		     findings->warnings - MOST_SHOWN);
	warn_of_last_resort(last, last->domain, "=.DOMAIN");
	warn_of_last_resort(last, last->any_host, "=");
	warn_of_last_resort(last, last->any, "the empty address");
	warn_of_repeats(&output->repeats);
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

static int create(const char *path, struct output *output)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0) die_temporary("unable to create %s:", output->path);
	if (table_make_start(&output->maker, fd) < 0) fail_to_write(output);
	return fd;
}

/* Checking makes the file too, where nobody sees it: what repeats what is
   found in it. */
static _Noreturn void check(struct input *input, struct findings *findings)
{
	static struct output output = { .path = "memory" };
	int fd = memfd_create("rules", MFD_CLOEXEC);

	if (fd < 0 || table_make_start(&output.maker, fd) < 0)
		fail_to_write(&output);
	compile(input, &output, findings);
	sum_up(findings, &output);
	exit(findings->errors ? EXIT_NEVER : EXIT_DONE);
}

int main(int argc, char **argv)
{
	static struct input input;
	char cdb_shown[SHOWN_NAME], temporary_shown[SHOWN_NAME];
	static struct output output;
	struct findings findings = { 0 };
	const char *cdb, *temporary;
	int fd;

	program_name = "tcprules";
	while (option_next(argc, argv, "n", usage) == 'n')
		findings.check_only = true;
	if (argc - optind != 2 && (argc != optind || !findings.check_only))
		die_usage(usage);

	need_descriptors();
	if (findings.check_only) check(&input, &findings);
	cdb = argv[optind];
	temporary = argv[optind + 1];
	output.path = shown_name(temporary_shown, temporary);
	fd = create(temporary, &output);
	compile(&input, &output, &findings);
	sum_up(&findings, &output);
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
