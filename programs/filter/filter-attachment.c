/* filter-attachment: refuses messages by what is attached to them: by the ends of
   the names (control/ssattach, or attach= of simcontrol), by the first bytes
   (control/signatures, as smtpd with REJECTEXEC, but decoded), and by patterns
   that fit a line (regex= of simcontrol).
   It asks nobody and reads the message once, from front to back, so what a long
   one needs is time, not memory; lib/mail/mime is what finds the attachments.
   SPDX-License-Identifier: ISC */

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/message.h"
#include "base/options.h"
#include "base/parse.h"
#include "mail/control.h"
#include "mail/filter.h"
#include "mail/mime.h"
#include "mail/mime_signature.h"

static const char synopsis[] = FILTER_SYNOPSIS " [ -e ] [ next [ args ... ] ]";

#define REPLY_NAME                                                             \
	"DYour email was rejected because it contains a bad attachment: %s"
#define REPLY_PATTERN                                                          \
	"DYour email was rejected because it matches a filter (#%zu)"
#define REPLY_START "Dwe don't accept email with this MIME content (#5.3.4)"
#define TOO_DEEP "encoded too many times"
#define CUT_NAME "a name in too many pieces"

enum {
	AT_ONCE = 65536, /* bytes between two looks at the clock */
	PATTERN_LIMIT = 100,
	/* Of a longer line, pieces that have a part in common. */
	LINE_LIMIT = 8192,
	COMMON = 1024,
	NAME_SHOWN = 180, /* leaves room for the reply's text */
};

struct scan {
	struct filter filter;
	bool looks_at_starts; /* -e */
	struct str suffixes;  /* each with a NUL */
	struct str signatures;
	bool has_signatures; /* the file is there */
	struct pattern {
		const char *text;
		regex_t compiled;
	} patterns[PATTERN_LIMIT];
	size_t pattern_count;

	/* What has been found; the first is what counts. */
	const char *state;
	char detail[NAME_SHOWN + 1];
	char reply[STAGE_TEXT_LIMIT + 1];

	struct mime_observer observer;
	struct mime_walk walk;
	size_t line_length;
	bool in_line; /* a piece of this line has been looked at */
	char line[LINE_LIMIT + 1];
};

static struct scan scan;

/* ---- what is looked for ---- */

/* The first word of each line: the rest of it never counted. */
static int read_suffixes(void)
{
	struct str lines = { 0 };
	const char *line, *end;

	if (scan.filter.control.has_table) {
		scan.suffixes = scan.filter.control.attach;
		return 0;
	}
	if (control_read_list("ssattach", &lines) == CONTROL_FAILED) return -1;
	end = lines.data + lines.length;
	for (line = lines.data; line && line < end; line += strlen(line) + 1) {
		const char *word = line + strspn(line, " :\t\r");
		size_t length = strcspn(word, " :\t\r");

		if (length == 0) continue;
		str_append(&scan.suffixes, word, length);
		str_append_byte(&scan.suffixes, '\0');
	}
	str_free(&lines);
	return 0;
}

static int read_signatures(void)
{
	enum control_answer answer;

	if (!scan.looks_at_starts) return 0;
	answer = control_read_list("signatures", &scan.signatures);
	scan.has_signatures = answer == CONTROL_FOUND;
	return answer == CONTROL_FAILED ? -1 : 0;
}

/* A pattern that is none would let pass what it was meant for. */
static int add_pattern(const char *text)
{
	char shown[128];
	int error;

	if (scan.pattern_count == PATTERN_LIMIT) {
		warn("more than %d patterns in simcontrol", PATTERN_LIMIT);
		return -1;
	}
	error = regcomp(&scan.patterns[scan.pattern_count].compiled, text,
			REG_EXTENDED | REG_NOSUB);
	if (error == REG_ESPACE) str_die_of_memory();
	if (error != 0) {
		warn("a bad pattern in simcontrol: %s",
		     printable_text(shown, sizeof shown, text));
		return -1;
	}
	scan.patterns[scan.pattern_count++].text = text;
	return 0;
}

/* Several recipients of one domain have brought the same ones. */
static bool has_pattern(const char *text)
{
	for (size_t i = 0; i < scan.pattern_count; i++)
		if (strcmp(scan.patterns[i].text, text) == 0) return true;
	return false;
}

static int read_patterns(void)
{
	const struct str *list = &scan.filter.control.regex;
	const char *at = list->data, *end = at + list->length;

	for (; at && at < end; at += strlen(at) + 1)
		if (!has_pattern(at) && add_pattern(at) < 0) return -1;
	return 0;
}

/* ---- what is found ---- */

/* A name in an unknown charset, or without an end, is shown as far as it can be. */
static void find(const char *state, const char *detail, size_t length)
{
	if (length > NAME_SHOWN) {
		detail += length - NAME_SHOWN;
		length = NAME_SHOWN;
	}
	scan.state = state;
	memcpy(scan.detail, detail, length);
	scan.detail[length] = '\0';
}

static void find_attachment(const char *name, size_t length)
{
	find("ATTACH", name, length);
	snprintf(scan.reply, sizeof scan.reply, REPLY_NAME, scan.detail);
}

static bool ends_with(const char *name, size_t length, const char *suffix,
		      size_t suffix_length)
{
	return suffix_length <= length &&
	       parse_lower(name[length - 1]) ==
		       parse_lower(suffix[suffix_length - 1]) &&
	       strncasecmp(name + length - suffix_length, suffix,
			   suffix_length) == 0;
}

static void look_at_name(void *context, const char *name, size_t length)
{
	const char *at = scan.suffixes.data, *end = at + scan.suffixes.length;

	(void)context;
	if (scan.state) return;
	filter_debug(&scan.filter, 3, "attachment %.*s", (int)length, name);
	while (at && at < end) {
		size_t suffix_length = strlen(at);

		if (ends_with(name, length, at, suffix_length)) {
			find_attachment(name, length);
			return;
		}
		at += suffix_length + 1;
	}
}

static const char *signature_of(const char *line, size_t length)
{
	const char *own = scan.signatures.data ? scan.signatures.data : "";

	return mime_signature_of(scan.has_signatures ? own : NULL,
				 scan.signatures.length, line, length);
}

/* Signatures are lines as they stand in a message, in base64 as a rule: so what
   was decoded is encoded again, as it would have been at its best. */
static void look_at_start(void *context, const char *bytes, size_t length)
{
	const char *lf = memchr(bytes, '\n', length), *signature;
	static struct str encoded;

	(void)context;
	if (scan.state) return;
	signature = signature_of(bytes, lf ? (size_t)(lf - bytes) : length);
	if (!signature) {
		str_clear(&encoded);
		base64_encode(&encoded, bytes, length);
		signature = signature_of(encoded.data, encoded.length);
	}
	if (!signature) return;
	find("ATTACH", signature, strlen(signature));
	snprintf(scan.reply, sizeof scan.reply, "%s", REPLY_START);
}

/* ---- patterns ---- */

/* A NUL would end the line for libc. */
static void look_at_line(int flags)
{
	char *nul = scan.line;

	scan.line[scan.line_length] = '\0';
	while ((nul = memchr(nul, '\0',
			     (size_t)(scan.line + scan.line_length - nul))))
		*nul = ' ';
	if (scan.in_line) flags |= REG_NOTBOL;
	for (size_t i = 0; !scan.state && i < scan.pattern_count; i++) {
		char number[32];

		if (regexec(&scan.patterns[i].compiled, scan.line, 0, NULL,
			    flags) != 0)
			continue;
		snprintf(number, sizeof number, "#%zu", i);
		find("REGEX", number, strlen(number));
		snprintf(scan.reply, sizeof scan.reply, REPLY_PATTERN, i);
	}
}

static void add_to_line(const char *bytes, size_t length)
{
	while (length > 0) {
		size_t room = LINE_LIMIT - scan.line_length;
		size_t n = length < room ? length : room;

		if (room == 0) {
			look_at_line(REG_NOTEOL);
			scan.in_line = true;
			memcpy(scan.line, scan.line + LINE_LIMIT - COMMON,
			       COMMON);
			scan.line_length = COMMON;
			continue;
		}
		memcpy(scan.line + scan.line_length, bytes, n);
		scan.line_length += n;
		bytes += n;
		length -= n;
	}
}

static void look_at_lines(const char *bytes, size_t length)
{
	const char *end = bytes + length;

	while (bytes < end && !scan.state) {
		const char *lf = memchr(bytes, '\n', (size_t)(end - bytes));

		add_to_line(bytes, (size_t)((lf ? lf : end) - bytes));
		if (!lf) return;
		look_at_line(0);
		scan.line_length = 0;
		scan.in_line = false;
		bytes = lf + 1;
	}
}

/* ---- the work ---- */

static void end_message(void)
{
	if (scan.pattern_count > 0 && scan.line_length > 0) look_at_line(0);
	mime_end(&scan.walk);
	/* Nobody does that who has nothing to hide. */
	if (!scan.state && scan.walk.is_too_deep)
		find_attachment(TOO_DEEP, strlen(TOO_DEEP));
	if (!scan.state && scan.observer.name && scan.walk.has_cut_name)
		find_attachment(CUT_NAME, strlen(CUT_NAME));
}

static enum queue_exit_code follow(void)
{
	struct filter *filter = &scan.filter;

	if (!scan.state) return filter_pass(filter, "CLEAN", NULL);
	return filter_refuse(filter, scan.state, scan.detail, scan.reply);
}

static enum queue_exit_code read_message(bool has_walk)
{
	struct filter *filter = &scan.filter;
	size_t at = 0, length;
	const char *bytes;

	while ((bytes = stage_message_at(&filter->stage.message, at,
					 &length)) &&
	       length > 0 && !scan.state) {
		if (length > AT_ONCE) length = AT_ONCE;
		if (has_walk) mime_read(&scan.walk, bytes, length);
		if (scan.pattern_count > 0) look_at_lines(bytes, length);
		at += length;
		if (deadline_left(filter->end) == 0)
			return filter_no_verdict(filter, QUEUE_TIMED_OUT,
						 "it takes too long");
	}
	if (!bytes)
		return filter_fail(filter, QUEUE_CANNOT_READ,
				   "cannot read the message");
	end_message();
	return follow();
}

static enum queue_exit_code look(void)
{
	struct filter *filter = &scan.filter;
	bool has_walk;

	if (read_suffixes() < 0)
		return filter_fail(filter, QUEUE_CANNOT_READ_SETTINGS,
				   "cannot read ssattach");
	if (read_signatures() < 0)
		return filter_fail(filter, QUEUE_CANNOT_READ_SETTINGS,
				   "cannot read signatures");
	if (read_patterns() < 0)
		return filter_fail(filter, QUEUE_CANNOT_READ_SETTINGS,
				   "cannot use regex");
	if (scan.suffixes.length > 0) scan.observer.name = look_at_name;
	if (scan.looks_at_starts) scan.observer.start = look_at_start;
	has_walk = scan.observer.name || scan.observer.start;
	if (!has_walk && scan.pattern_count == 0)
		return filter_pass(filter, "SKIPPED", "nothing to look for");
	if (filter_is_too_long(filter))
		return filter_pass_unscanned(filter, "too long");
	mime_start(&scan.walk, &scan.observer);
	return read_message(has_walk);
}

int main(int argc, char **argv)
{
	enum queue_exit_code code;
	int letter;

	program_name = "filter-attachment";
	filter_start(&scan.filter, NULL, NULL);
	scan.looks_at_starts = getenv("REJECTEXEC") != NULL;
	while ((letter = option_next(argc, argv, FILTER_LETTERS "e",
				     synopsis)) != -1)
		if (letter == 'e') scan.looks_at_starts = true;
		else filter_option(&scan.filter, letter, synopsis);
	scan.filter.next = argv + optind;
	code = filter_take(&scan.filter);
	if (code == QUEUE_DONE) code = look();
	return (int)code;
}
