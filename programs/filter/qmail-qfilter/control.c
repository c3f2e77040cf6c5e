/* SPDX-License-Identifier: ISC */
#include "control.h"

#include <fnmatch.h>
#include <regex.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"
#include "mail/address.h"
#include "mail/control.h"

static const char file[] = "qfilters";

/* A line in three; the bytes are cut up by NULs. */
struct line {
	char *domain;
	char *command;
	char *variables; /* NULL: none */
};

static int bad_line(const char *line)
{
	char shown[256];

	note("fatal: control/%s: %s", file,
	     printable_text(shown, sizeof shown, line));
	return QUEUE_CANNOT_READ_SETTINGS;
}

static char *cut_at_colon(char *text)
{
	char *colon = strchr(text, ':');

	if (!colon) return NULL;
	*colon = '\0';
	return colon + 1;
}

static bool cut_line(struct line *line, char *text)
{
	line->domain = text;
	line->command = cut_at_colon(text);
	if (!line->command) return false;
	line->variables = cut_at_colon(line->command);
	return *line->domain && *line->command;
}

enum match { MATCHES, DIFFERS, CANNOT_MATCH };

static enum match match_expression(const char *expression, const char *domain)
{
	regex_t compiled;
	int result;

	if (regcomp(&compiled, expression,
		    REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0)
		return CANNOT_MATCH;
	result = regexec(&compiled, domain, 0, NULL, 0);
	regfree(&compiled);
	return result == 0 ? MATCHES : DIFFERS;
}

static enum match match(const char *pattern, const char *domain)
{
	if (getenv("QREGEX")) return match_expression(pattern, domain);
	return fnmatch(pattern, domain, FNM_CASEFOLD) == 0 ? MATCHES : DIFFERS;
}

/* Cuts "A=1,B=2" into words that end in a NUL; how many, or 0 for one without a
   name. */
static size_t cut_variables(char *text)
{
	size_t count = 1;

	for (char *word = text;; word++, count++) {
		if (*word == '=' || *word == ',' || !*word) return 0;
		word += strcspn(word, ",");
		if (!*word) return count;
		*word = '\0';
	}
}

/* The entry, "NAME=value", has the word's name. */
static bool is_named_by(const char *entry, const char *word)
{
	size_t length = strcspn(word, "=");

	return strncmp(entry, word, length) == 0 && entry[length] == '=';
}

static bool is_changed(const char *entry, const char *word, size_t count)
{
	for (; count > 0; count--, word += strlen(word) + 1)
		if (is_named_by(entry, word)) return true;
	return false;
}

/* Our environment with these words for what they name, or, where a word has no
   value, without it. To be freed. */
static char **changed_environment(char *word, size_t count)
{
	size_t had = 0, have = 0;
	char **environment;

	while (environ[had]) had++;
	environment = calloc(had + count + 1, sizeof *environment);
	if (!environment) str_die_of_memory();
	for (size_t i = 0; i < had; i++)
		if (!is_changed(environ[i], word, count))
			environment[have++] = environ[i];
	for (; count > 0; count--) {
		size_t length = strlen(word);
		size_t name = strcspn(word, "=");

		/* Of two words with one name the last one counts. */
		if (name + 1 < length &&
		    !is_changed(word, word + length + 1, count - 1))
			environment[have++] = word;
		word += length + 1;
	}
	return environment;
}

static int run_line(struct run *run, const struct line *line)
{
	static char shell[] = "/bin/sh", option[] = "-c";
	char *argv[] = { shell, option, line->command, NULL };
	char **environment;
	size_t count;
	int code;

	if (!line->variables) return run_filter(run, argv, environ);
	count = cut_variables(line->variables);
	if (count == 0) return bad_line(line->command);
	environment = changed_environment(line->variables, count);
	code = run_filter(run, argv, environment);
	free(environment);
	return code;
}

int control_run_filters(struct run *run)
{
	struct str lines = { 0 };
	struct line line;
	int code = QUEUE_DONE;

	if (control_read_list(file, &lines) == CONTROL_FAILED) {
		note("fatal: cannot read control/%s", file);
		return QUEUE_CANNOT_READ_SETTINGS;
	}
	for (size_t at = 0, next; at < lines.length && code == QUEUE_DONE;
	     at = next) {
		const char *sender = run->stage.envelope.sender;
		const char *domain = address_domain(sender);

		next = at + strlen(lines.data + at) + 1;
		if (!cut_line(&line, lines.data + at))
			return bad_line(line.domain);
		switch (match(line.domain, domain ? domain : "")) {
		case MATCHES: code = run_line(run, &line); break;
		case DIFFERS: break;
		case CANNOT_MATCH: return bad_line(line.domain);
		}
	}
	str_free(&lines);
	return code;
}
