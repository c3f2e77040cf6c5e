/* filter-header: removes, adds and rewrites fields of a message's header, in the
   order in which that is asked for. A value may hold what is known about the
   message, "%{TCPREMOTEIP}": then it is one word or line whatever is known, since
   a header is no place for a stranger's line ends.
   A header that is too long to be held is refused: what a chain relies on to be
   removed is removed.
   SPDX-License-Identifier: ISC */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"
#include "base/options.h"
#include "mail/control.h"
#include "mail/filter.h"
#include "mail/header.h"
#include "mail/header_edit.h"
#include "system/clock.h"

static const char synopsis[] =
	"[ -q folder ] [ -r name ] [ -a 'name: value' ] [ -A 'name: value' ] "
	"[ -w 'name: value' ] [ -f file ] ... [ next [ args ... ] ]";

enum {
	CHANGES_LIMIT = 200,
	VARIABLE_LIMIT = 64,
	RECIPIENTS_LIMIT = 2000, /* bytes of them in a value */
};

/* As the option's letter. */
enum kind { REMOVE = 'r', ADD = 'a', ADD_BELOW = 'A', REWRITE = 'w' };

struct change {
	char kind;
	char name[HEADER_NAME_LIMIT + 2]; /* a pattern may have one more */
	const char *value;
};

struct job {
	struct filter filter;
	struct change changes[CHANGES_LIMIT];
	size_t count;
};

/* ---- what is to be changed ---- */

static bool is_pattern(const char *name)
{
	char start[HEADER_NAME_LIMIT + 2];
	size_t length = strlen(name);

	if (length == 0 || name[length - 1] != '*') return false;
	memcpy(start, name, length);
	start[length - 1] = '\0';
	return header_edit_is_name(start);
}

/* False when it makes no sense. */
static bool add_change(struct job *job, char kind, const char *text)
{
	struct change *change = &job->changes[job->count];
	size_t length = strcspn(text, ":");

	if (job->count == CHANGES_LIMIT || length >= sizeof change->name)
		return false;
	if ((text[length] == ':') == (kind == REMOVE)) return false;
	change->kind = kind;
	memcpy(change->name, text, length);
	change->value = text + length + (kind != REMOVE);
	job->count++;
	return header_edit_is_name(change->name) ||
	       (kind == REMOVE && is_pattern(change->name));
}

static _Noreturn void die_of_settings(const char *name, const char *what)
{
	char room[256];

	note("fatal: %s: %s", name, printable_text(room, sizeof room, what));
	exit(QUEUE_CANNOT_READ_SETTINGS);
}

static _Noreturn void die_of_option(int letter)
{
	char room[256];

	note("option -%c makes no sense: %s", letter,
	     printable_text(room, sizeof room, optarg));
	die_usage(synopsis);
}

/* Lines of a letter, a blank, and what the option would have. */
static void read_changes(struct job *job, const char *name)
{
	struct str lines = { 0 }; /* they stay */
	const char *line;

	switch (control_read_list(name, &lines)) {
	case CONTROL_FOUND: break;
	case CONTROL_ABSENT: die_of_settings(name, error_text(ENOENT));
	case CONTROL_FAILED: die_of_settings(name, error_text(errno));
	}
	for (line = lines.data; line < lines.data + lines.length;
	     line += strlen(line) + 1)
		if (!strchr("raAw", *line) || line[1] != ' ' ||
		    !add_change(job, *line, line + 2))
			die_of_settings(name, line);
}

/* ---- values ---- */

static void append_line(struct str *value, const char *text, size_t most)
{
	for (size_t i = 0; text[i] && i < most; i++)
		str_append_byte(value, text[i] >= ' ' && text[i] <= '~'
					       ? text[i]
					       : '?');
}

static void append_recipients(struct str *value,
			      const struct envelope *envelope)
{
	const char *recipient = NULL;
	size_t end = value->length + RECIPIENTS_LIMIT;

	while ((recipient = envelope_next(envelope, recipient))) {
		if (value->length + strlen(recipient) > end) {
			str_append_text(value, " ...");
			return;
		}
		if (recipient != envelope->recipients + 1)
			str_append_byte(value, ' ');
		append_line(value, recipient, ENVELOPE_ADDRESS_LIMIT);
	}
}

static void append_variable(const struct job *job, struct str *value,
			    const char *name)
{
	const struct stage *stage = &job->filter.stage;
	const char *text;

	if (strcmp(name, "SENDER") == 0)
		append_line(value, stage->envelope.sender,
			    ENVELOPE_ADDRESS_LIMIT);
	else if (strcmp(name, "RECIPIENTS") == 0)
		append_recipients(value, &stage->envelope);
	else if (strcmp(name, "SIZE") == 0)
		str_append_number(value, stage->message.size);
	else if (strcmp(name, "QP") == 0)
		str_append_number(value, (unsigned long)getpid());
	else if (strcmp(name, "DATE") == 0)
		header_append_date(value, clock_seconds());
	else if ((text = getenv(name))) append_line(value, text, MESSAGE_LIMIT);
}

/* "%{NAME}" and "%%"; any other '%' is one. */
static void expand(const struct job *job, struct str *value, const char *text)
{
	for (; *text; text++) {
		char name[VARIABLE_LIMIT];
		const char *end = NULL;
		size_t length;

		if (text[0] == '%' && text[1] == '%') text++;
		else if (text[0] == '%' && text[1] == '{')
			end = strchr(text, '}');
		length = end ? (size_t)(end - text) - 2 : 0;
		if (!end || length >= sizeof name) {
			str_append_byte(value, *text);
			continue;
		}
		memcpy(name, text + 2, length);
		name[length] = '\0';
		append_variable(job, value, name);
		text = end;
	}
}

/* ---- the work ---- */

static void apply(struct job *job, const struct change *change)
{
	struct header_edit *header = &job->filter.header;
	struct str value = { 0 };

	str_reserve(&value, 0);
	if (change->kind != REMOVE) expand(job, &value, change->value);
	switch ((enum kind)change->kind) {
	case REMOVE:
		header_edit_remove(header, change->name, HEADER_ALL);
		break;
	case ADD:
		header_edit_add(header, HEADER_TOP, change->name, value.data,
				value.length);
		break;
	case ADD_BELOW:
		header_edit_add(header, HEADER_END, change->name, value.data,
				value.length);
		break;
	case REWRITE:
		header_edit_replace(header, change->name, value.data,
				    value.length);
		break;
	}
	str_free(&value);
}

static enum queue_exit_code edit(struct job *job)
{
	struct filter *filter = &job->filter;
	enum queue_exit_code code = filter_take_header(filter);

	if (code != QUEUE_DONE) return code;
	for (size_t i = 0; i < job->count; i++) apply(job, &job->changes[i]);
	return filter_pass(filter,
			   filter->header.is_changed ? "EDITED" : "UNCHANGED",
			   NULL);
}

int main(int argc, char **argv)
{
	static struct job job;
	enum queue_exit_code code;
	int letter;

	program_name = "filter-header";
	filter_start(&job.filter, NULL, NULL);
	while ((letter = option_next(argc, argv, FILTER_LETTERS "r:a:A:w:f:",
				     synopsis)) != -1)
		if (letter == 'f') read_changes(&job, optarg);
		else if (!filter_option(&job.filter, letter, synopsis) &&
			 !add_change(&job, (char)letter, optarg))
			die_of_option(letter);
	job.filter.next = argv + optind;
	code = filter_take(&job.filter);
	if (code == QUEUE_DONE) code = edit(&job);
	return (int)code;
}
