/* simscanmk: compiles control/simcontrol, what domains and addresses want to have
   scanned, into control/simcontrol.cdb, which takes the old one's place in one
   step.
   The surprise: simscan's own takes any line, and what nobody understands turns
   scanning off without a word. Here such a line stops everything, and the old
   table stays. A line that begins with '#' is a comment; simscan's own takes it for
   a rule.
   Reads and writes in $CONTROLDIR; simcontrol(5) has the format. 100: wrong use,
   or a line that is wrong. 111: cannot read or write.
   SPDX-License-Identifier: ISC */

#include <regex.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "base/parse.h"
#include "base/str.h"
#include "mail/control.h"
#include "mail/simcontrol.h"
#include "system/file.h"
#include "system/replacement.h"
#include "system/table_maker.h"

static const char usage[] = "simscanmk [ -g ]";

enum {
	SHOWN = 256,
	MOST_SHOWN = 100, /* mistakes; the rest is counted */
};

static const char blanks[] = " \t\r";

struct compilation {
	struct str text_path, table_path;
	struct table_maker maker;
	struct table_repeats repeats;
	unsigned long line;
	unsigned long mistakes;
};

/* "PROGRAM: fatal: PATH: line N: WHAT NAME", and " VALUE" */
static void report(struct compilation *compilation, const char *what,
		   const char *name, size_t length)
{
	struct str shown = { 0 };

	if (compilation->mistakes++ >= MOST_SHOWN) return;
	str_append_printable(&shown, name, length < SHOWN ? length : SHOWN);
	note("fatal: %s: line %lu: %s%s%s", compilation->text_path.data,
	     compilation->line, what, length ? " " : "", shown.data);
	str_free(&shown);
}

/* filter-attachment would refuse to work with such a pattern. */
static void check_patterns(struct compilation *compilation,
			   const struct str *list)
{
	for (size_t at = 0; at < list->length;) {
		const char *text = list->data + at;
		regex_t pattern;

		if (regcomp(&pattern, text, REG_EXTENDED | REG_NOSUB) == 0)
			regfree(&pattern);
		else
			report(compilation, "this is no pattern:", text,
			       strlen(text));
		at += strlen(text) + 1;
	}
}

static void check_value(struct compilation *compilation, const char *value,
			size_t length)
{
	struct simcontrol control = { 0 };
	const char *at = value, *end = value + length;
	enum simcontrol_outcome outcome;
	struct simcontrol_pair pair;

	if (length > SIMCONTROL_VALUE)
		report(compilation, "it is too long", "", 0);
	do {
		outcome = simcontrol_next(&control, &at, end, &pair);
		if (outcome == SIMCONTROL_UNKNOWN)
			report(compilation, "there is no parameter", pair.name,
			       pair.name_length);
		if (outcome == SIMCONTROL_NONSENSE)
			report(compilation, "no value for it:", pair.name,
			       (size_t)(pair.value + pair.value_length -
					pair.name));
	} while (outcome != SIMCONTROL_END);
	check_patterns(compilation, &control.regex);
	simcontrol_free(&control);
}

static void add(struct compilation *compilation, char *key, size_t key_length,
		const char *value, size_t length)
{
	for (size_t i = 0; i < key_length; i++) key[i] = parse_lower(key[i]);
	if (key_length && *key == '@')
		warn("%s: line %lu is never looked up: a domain has no @",
		     compilation->text_path.data, compilation->line);
	table_make_number(&compilation->repeats, compilation->line);
	if (table_make_add(&compilation->maker, key, key_length, value,
			   length) < 0)
		die_temporary("unable to write %s:",
			      compilation->table_path.data);
}

/* A line, which ends in a NUL. simscan's own takes blanks for a colon. */
static void compile_line(struct compilation *compilation, char *line,
			 size_t length)
{
	char *key = line + strspn(line, blanks), *value;
	size_t key_length;

	if (memchr(line, '\0', length)) {
		report(compilation, "it has a NUL", "", 0);
		return;
	}
	if (!*key || *key == '#') return;
	key_length = strcspn(key, ": \t\r");
	value = key + key_length + strspn(key + key_length, blanks);
	if (!*value) {
		report(compilation, "there is no colon behind", key,
		       key_length);
		return;
	}
	if (*value == ':') value++;
	value += strspn(value, blanks);
	for (length = strlen(value); length > 0; length--)
		if (!strchr(blanks, value[length - 1])) break;
	check_value(compilation, value, length);
	add(compilation, key, key_length, value, length);
}

static void compile(struct compilation *compilation, struct str *text)
{
	for (size_t at = 0; at < text->length;) {
		char *line = text->data + at;
		char *end = memchr(line, '\n', text->length - at);
		size_t length = end ? (size_t)(end - line) : text->length - at;

		compilation->line++;
		line[length] = '\0';
		compile_line(compilation, line, length);
		at += length + 1;
	}
}

static void warn_of_repeats(const struct compilation *compilation)
{
	const struct table_repeats *repeats = &compilation->repeats;

	for (size_t i = 0; i < repeats->used; i++)
		warn("%s: line %lu repeats the key of line %lu, which counts",
		     compilation->text_path.data, repeats->found[i].record,
		     repeats->found[i].first);
	if (repeats->count > repeats->used)
		warn("%zu more keys are repeated",
		     repeats->count - repeats->used);
}

/* For all to read: a chain of filters is no secret, and runs as whoever sends. */
static const struct replacement_rights rights = {
	.most = 0644,
	.without_group = 0644,
};

static int make_table(struct compilation *compilation, struct str *text)
{
	const char *path = compilation->table_path.data;
	struct replacement replacement = { 0 };

	if (replacement_start(&replacement, path, &rights) < 0 ||
	    table_make_start(&compilation->maker, replacement.fd) < 0)
		die_temporary("unable to write %s:", path);
	compile(compilation, text);
	if (compilation->mistakes > MOST_SHOWN)
		note("fatal: %lu more mistakes",
		     compilation->mistakes - MOST_SHOWN);
	if (compilation->mistakes) return EXIT_NEVER;
	if (table_make_finish(&compilation->maker, &compilation->repeats) < 0 ||
	    replacement_finish(&replacement) < 0)
		die_temporary("unable to write %s:", path);
	warn_of_repeats(compilation);
	return EXIT_DONE;
}

int main(int argc, char **argv)
{
	static struct compilation compilation;
	struct str text = { 0 };
	bool wants_versions = false;

	program_name = "simscanmk";
	while (option_next(argc, argv, "g", usage) == 'g')
		wants_versions = true;
	if (argc != optind) die_usage(usage);
	/* Those of the scanners, for simscan's Received line: we write none. */
	if (wants_versions) return EXIT_DONE;
	control_path(&compilation.text_path, "simcontrol");
	control_path(&compilation.table_path, "simcontrol.cdb");
	if (file_read(compilation.text_path.data, &text, CONTROL_FILE_LIMIT) <
	    0)
		die_temporary("unable to read %s:", compilation.text_path.data);
	return make_table(&compilation, &text);
}
