/* SPDX-License-Identifier: ISC */
#include "settings.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "base/parse.h"
#include "base/str.h"
#include "system/net.h"

static const char usage[] =
	"tcpserver [ -461UXpPhHrRoOdDqQv ] [ -c limit ] [ -x rules.cdb ] "
	"[ -B banner ] [ -g gid ] [ -u uid ] [ -b backlog ] [ -l localname ] "
	"[ -t timeout ] [ -I interface ] host port program";

enum { MOST_SESSIONS = 4194304 }; /* Linux has no more pids */

_Noreturn void fail(const struct settings *settings, const char *doing)
{
	if (settings->verbosity == QUIET) exit(EXIT_TRY_AGAIN);
	die_temporary("unable to %s:", doing);
}

static void take_ids_from_environment(struct settings *settings)
{
	parse_leading_number(getenv("UID"), &settings->user);
	parse_leading_number(getenv("GID"), &settings->group);
}

static void read_words(struct settings *settings, int count, char **words)
{
	char shown[NAME_SHOWN];
	bool quiet = settings->verbosity == QUIET;

	if (count >= 2 && net_port_parse(words[1], &settings->port) < 0) {
		if (quiet) exit(EXIT_TRY_AGAIN);
		die_temporary("unable to figure out port number for %s",
			      printable_text(shown, sizeof shown, words[1]));
	}
	if (count < 3) {
		if (quiet) exit(EXIT_NEVER);
		die_usage(usage);
	}
	settings->host = words[0];
	settings->program = words + 2;
}

struct settings read_options(int argc, char **argv)
{
	struct settings settings = {
		.verbosity = ERRORS,
		.limit = 40,
		.backlog = 20,
		.look_up_host = true,
	};
	int letter;

	while ((letter = option_next(
			argc, argv,
			"46I:1UXpPhHrRoOdDqQvc:x:B:g:u:b:l:t:", usage)) != -1) {
		switch (letter) {
		case '4': settings.only_ipv4 = true; break;
		case '6': settings.keep_ipv6_form = true; break;
		case 'I': settings.interface = optarg; break;
		case '1': settings.print_port = true; break;
		case 'U': take_ids_from_environment(&settings); break;
		case 'X': settings.allow_without_rules = true; break;
		case 'p':
		case 'P': break; /* checks what -h found */
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
		case 'c':
			settings.limit =
				option_number(letter, 0, MOST_SESSIONS, usage);
			break;
		case 'x': settings.rules = optarg; break;
		case 'B': settings.banner = *optarg ? optarg : NULL; break;
		case 'g':
			settings.group =
				option_number(letter, 0, UINT_MAX - 1, usage);
			break;
		case 'u':
			settings.user =
				option_number(letter, 0, UINT_MAX - 1, usage);
			break;
		case 'b':
			settings.backlog =
				option_number(letter, 0, INT_MAX, usage);
			break;
		case 'l': settings.local_host = optarg; break;
		case 't': option_number(letter, 0, INT_MAX, usage); break;
		default: break;
		}
	}
	read_words(&settings, argc - optind, argv + optind);
	return settings;
}
