/* SPDX-License-Identifier: ISC */
#include "settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"
#include "base/options.h"
#include "base/str.h"
#include "system/file.h"

enum {
	CONVERSATION_SECONDS = 60,
	LOOKUP_SECONDS = 10,
	MOST_CONVERSATION_SECONDS = 86400,
	MOST_LOOKUP_SECONDS = 300,
	FILE_LIMIT = 1024 * 1024,
};

static const char synopsis[] =
	"rblsmtpd [ -bBcCilnTW ] [ -t seconds ] [ -d seconds ] [ -w seconds ] "
	"[ -s score ] [ -g greeting ] [ -f file ] [ -r list ] [ -a list ] "
	"program [ arg ... ]";

/* What is in force for the next list. */
struct mode {
	bool permanent;
	bool fail_closed;
};

/* NULL, or what is wrong; that never shows the text, which may hold a key. */
static const char *add_list(struct settings *settings, const struct mode *mode,
			    const char *text, enum dns_list_kind kind)
{
	struct entry *entry = &settings->entries[settings->count];
	const char *mistake;

	if (settings->count == MOST_LISTS) return "there are too many lists";
	mistake = dns_list_parse(&entry->list, text, kind);
	if (mistake) return mistake;
	entry->permanent = mode->permanent;
	entry->fail_closed = mode->fail_closed;
	settings->count++;
	return NULL;
}

/* A line of sagredo's control/dnsbllist: -zone and zone:-message refuse for
   good, +zone allows, =zone is only logged. */
static const char *add_line(struct settings *settings, const struct mode *mode,
			    const char *line)
{
	enum dns_list_kind kind = DNS_LIST_REFUSES;
	struct entry *entry = &settings->entries[settings->count];
	char mark = *line;
	const char *mistake;

	if (mark == '+') kind = DNS_LIST_ALLOWS;
	if (mark == '+' || mark == '-' || mark == '=') line++;
	mistake = add_list(settings, mode, line, kind);
	if (mistake) return mistake;
	entry->log_only = mark == '=';
	if (mark == '-') entry->permanent = true;
	if (!entry->list.message || *entry->list.message != '-') return NULL;
	entry->permanent = true;
	return *++entry->list.message ? NULL : "the message is empty";
}

/* Without the blanks around it. */
static char *trim(char *line)
{
	size_t length;

	line += strspn(line, " \t");
	length = strlen(line);
	while (length > 0 && strchr(" \t\r", line[length - 1])) length--;
	line[length] = '\0';
	return line;
}

/* The bytes stay: messages are in there. */
static void add_file(struct settings *settings, const struct mode *mode,
		     const char *path)
{
	struct str bytes = { 0 };
	unsigned long number = 0;
	char *rest, *line;

	if (file_read(path, &bytes, FILE_LIMIT) < 0)
		die_temporary("unable to read %s:", path);
	/* What a crash leaves: it would end the text, and hide the rest. */
	if (bytes.length > 0 && memchr(bytes.data, '\0', bytes.length))
		die_permanent("%s: it has a NUL byte", path);
	rest = bytes.data;
	while (rest && (line = strsep(&rest, "\n"))) {
		const char *mistake = NULL;

		number++;
		line = trim(line);
		if (*line && *line != '#')
			mistake = add_line(settings, mode, line);
		if (mistake) die_permanent("%s:%lu: %s", path, number, mistake);
	}
}

static void add_option(struct settings *settings, const struct mode *mode,
		       int letter)
{
	const char *mistake =
		add_list(settings, mode, optarg,
			 letter == 'a' ? DNS_LIST_ALLOWS : DNS_LIST_REFUSES);

	if (!mistake) return;
	note("-%c: %s", letter, mistake);
	die_usage(synopsis);
}

static void take_number(struct settings *settings, int letter)
{
	switch (letter) {
	case 't':
		settings->conversation_seconds = option_number(
			letter, 0, MOST_CONVERSATION_SECONDS, synopsis);
		break;
	case 'd':
		settings->lookup_seconds =
			option_number(letter, 1, MOST_LOOKUP_SECONDS, synopsis);
		break;
	case 's':
		settings->threshold = (int)option_number(
			letter, 1, DNS_LIST_WEIGHT, synopsis);
		break;
	case 'w':
		settings->wait_is_given = true;
		settings->wait.seconds = option_number(
			letter, 0, EARLY_TALKER_MOST_SECONDS, synopsis);
		break;
	default: break;
	}
}

static void take_option(struct settings *settings, struct mode *mode,
			int letter)
{
	switch (letter) {
	case 'b': mode->permanent = true; break;
	case 'B': mode->permanent = false; break;
	case 'c': mode->fail_closed = true; break;
	case 'C': mode->fail_closed = false; break;
	case 'i': settings->only_inform = true; break;
	case 'l': settings->log_conversation = true; break;
	case 'n': settings->only_explain = true; break;
	case 'T': settings->only_test = true; break;
	case 'W': settings->wait_from_environment = true; break;
	case 'g': settings->greeting = optarg; break;
	case 'f': add_file(settings, mode, optarg); break;
	case 'r':
	case 'a': add_option(settings, mode, letter); break;
	default: take_number(settings, letter); break;
	}
}

/* -w says how long whatever $GREETDELAY says. */
static void settle_wait(struct settings *settings)
{
	struct early_talker *wait = &settings->wait;

	if (settings->wait_from_environment) {
		struct early_talker found = early_talker_from_environment();

		wait->drop = found.drop;
		if (!settings->wait_is_given) wait->seconds = found.seconds;
	}
	early_talker_settle(wait);
}

void settings_read(struct settings *settings, int argc, char **argv)
{
	struct mode mode = { 0 };
	int letter;

	settings->threshold = 1;
	settings->conversation_seconds = CONVERSATION_SECONDS;
	settings->lookup_seconds = LOOKUP_SECONDS;
	settings->greeting = getenv("RBLGREETING");
	if (!settings->greeting) settings->greeting = "rblsmtpd.local";
	while ((letter = option_next(argc, argv, "bBcCilnTWt:d:w:s:g:f:r:a:",
				     synopsis)) != -1)
		take_option(settings, &mode, letter);
	settings->next = argv + optind;
	if (!*settings->next && !settings->only_explain && !settings->only_test)
		die_usage(synopsis);
	if (settings->only_test && settings->count == 0) die_usage(synopsis);
	settle_wait(settings);
}
