/* SPDX-License-Identifier: ISC */
#include "control.h"

#include <fnmatch.h>
#include <regex.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "mail/address.h"
#include "mail/control.h"
#include "system/process.h"

static const char file[] = "qfilters";

enum { VARIABLES_MOST = 64 };

/* A line in three; the bytes are cut up by NULs. */
struct line {
	char *domain;
	char *command;
	char *variables; /* NULL: none */
};

/* What a variable was before, for after. */
struct before {
	const char *name;
	char *value;
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

static char *kept_value(const char *name)
{
	const char *value = getenv(name);
	char *copy = value ? strdup(value) : NULL;

	if (value && !copy) str_die_of_memory();
	return copy;
}

/* -1: there are too many of them. */
static int set_variables(char *text, struct before *before, size_t *count)
{
	char *rest = NULL;

	for (char *one = strtok_r(text, ",", &rest); one;
	     one = strtok_r(NULL, ",", &rest)) {
		char *value = strchr(one, '=');

		if (*count == VARIABLES_MOST || value == one) return -1;
		if (value) *value++ = '\0';
		before[*count] = (struct before){ one, kept_value(one) };
		process_set(one, value && *value ? value : NULL);
		(*count)++;
	}
	return 0;
}

/* Backwards: one may have been set twice. */
static void restore_variables(const struct before *before, size_t count)
{
	while (count-- > 0) {
		process_set(before[count].name, before[count].value);
		free(before[count].value);
	}
}

static int run_line(struct run *run, const struct line *line)
{
	static char shell[] = "/bin/sh", option[] = "-c";
	char *argv[] = { shell, option, line->command, NULL };
	struct before before[VARIABLES_MOST];
	size_t count = 0;
	int code;

	if (line->variables &&
	    set_variables(line->variables, before, &count) < 0)
		return bad_line(line->command);
	code = run_filter(run, argv);
	restore_variables(before, count);
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
