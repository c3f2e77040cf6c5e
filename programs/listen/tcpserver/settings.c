/* SPDX-License-Identifier: ISC */
#include "settings.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "base/parse.h"
#include "base/str.h"
#include "system/file.h"
#include "system/net.h"

static const char usage[] =
	"tcpserver [ -461UXpPhHrRoOdDqQv ] [ -c limit ] [ -x rules.cdb ] "
	"[ -B banner ] [ -g gid ] [ -u uid ] [ -b backlog ] [ -l localname ] "
	"[ -t timeout ] [ -f fd ] [ -I interface ] host port program";

static const char digits[] = "0123456789";

enum {
	MOST_SESSIONS = 4194304,  /* Linux has no more pids */
	LIMIT_FILE_BYTES = 65536, /* a number, and words about it */
	PORT_NAME = 64,
};

_Noreturn void fail(const struct settings *settings, const char *doing)
{
	if (settings->verbosity == QUIET) exit(EXIT_TRY_AGAIN);
	die_temporary("unable to %s:", doing);
}

bool takes_standard_input(const struct settings *settings)
{
	return strcmp(settings->hosts, "-") == 0;
}

int read_limit(const char *path, unsigned long *limit)
{
	struct str text = { 0 };
	unsigned long number = 0;
	int cause = 0;

	if (file_read(path, &text, LIMIT_FILE_BYTES) < 0) cause = errno;
	else if (!parse_leading_number(text.data + strcspn(text.data, digits),
				       &number))
		cause = EINVAL;
	else if (number > MOST_SESSIONS) cause = ERANGE;
	else *limit = number;
	str_free(&text);
	errno = cause;
	return cause ? -1 : 0;
}

/* A file's name begins with a slash or a dot. */
static void take_limit(struct settings *settings)
{
	bool is_file = *optarg == '/' || *optarg == '.';

	settings->limit_file = is_file ? optarg : NULL;
	if (!is_file)
		settings->limit = option_number('c', 0, MOST_SESSIONS, usage);
}

static void take_ids_from_environment(struct settings *settings)
{
	parse_leading_number(getenv("UID"), &settings->user);
	parse_leading_number(getenv("GID"), &settings->group);
}

bool next_port(const struct settings *settings, const char **list,
	       unsigned *port)
{
	size_t length = *list ? strcspn(*list, ",") : 0;
	char name[PORT_NAME], shown[NAME_SHOWN];

	if (!*list) return false;
	if (length < sizeof name) {
		memcpy(name, *list, length);
		name[length] = '\0';
		if (net_port_parse(name, port) == 0) {
			*list = (*list)[length] ? *list + length + 1 : NULL;
			return true;
		}
	}
	if (settings->verbosity == QUIET) exit(EXIT_TRY_AGAIN);
	die_temporary("unable to figure out port number for %s",
		      printable_text(shown, sizeof shown, *list));
}

static void read_words(struct settings *settings, int count, char **words)
{
	const char *ports = count >= 2 ? words[1] : NULL;
	unsigned port;

	settings->hosts = count >= 1 ? words[0] : "";
	settings->ports = ports;
	if (!takes_standard_input(settings))
		while (next_port(settings, &ports, &port)) continue;
	if (count < 3) {
		if (settings->verbosity == QUIET) exit(EXIT_NEVER);
		die_usage(usage);
	}
	settings->program = words + 2;
}

static unsigned long option_id(int letter)
{
	return option_number(letter, 0, UINT_MAX - 1, usage);
}

static unsigned option_count(int letter, unsigned long minimum)
{
	return (unsigned)option_number(letter, minimum, INT_MAX, usage);
}

struct settings read_options(int argc, char **argv)
{
	struct settings settings = {
		.verbosity = ERRORS,
		.limit = 40,
		.backlog = 20,
		.look_up_host = true,
		.look_up_seconds = 26,
		.ready_fd = -1,
	};
	int letter;

	while ((letter = option_next(argc, argv,
				     "46I:1UXpPhHrRoOdDqQvc:x:B:g:u:b:l:t:f:",
				     usage)) != -1) {
		switch (letter) {
		case '4': settings.only_ipv4 = true; break;
		case '6': settings.keep_ipv6_form = true; break;
		case 'I': settings.interface = optarg; break;
		case '1': settings.print_port = true; break;
		case 'U': take_ids_from_environment(&settings); break;
		case 'X': settings.allow_without_rules = true; break;
		case 'p': settings.check_host = true; break;
		case 'P': settings.check_host = false; break;
		case 'h': settings.look_up_host = true; break;
		case 'H': settings.look_up_host = false; break;
		case 'r': settings.look_up_info = true; break;
		case 'R': settings.look_up_info = false; break;
		case 'o': settings.keep_ip_options = true; break;
		case 'O': settings.keep_ip_options = false; break;
		case 'd': settings.send_at_once = false; break;
		case 'D': settings.send_at_once = true; break;
		case 'q': settings.verbosity = QUIET; break;
		case 'Q': settings.verbosity = ERRORS; break;
		case 'v': settings.verbosity = STATUS; break;
		case 'c': take_limit(&settings); break;
		case 'x': settings.rules = optarg; break;
		case 'B': settings.banner = *optarg ? optarg : NULL; break;
		case 'g': settings.group = option_id(letter); break;
		case 'u': settings.user = option_id(letter); break;
		case 'b': settings.backlog = option_count(letter, 0); break;
		case 'l': settings.local_host = optarg; break;
		case 'f':
			settings.ready_fd = (int)option_count(letter, 3);
			break;
		case 't':
			settings.look_up_seconds = option_count(letter, 0);
			break;
		default: break;
		}
	}
	read_words(&settings, argc - optind, argv + optind);
	return settings;
}
