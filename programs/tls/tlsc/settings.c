/* SPDX-License-Identifier: ISC */
#include "settings.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/message.h"
#include "base/options.h"

enum {
	SECONDS = 60,
	SECONDS_LIMIT = 86400,
	READ_FD = 6, /* UCSPI's, for clients */
	WRITE_FD = 7,
};

static const char synopsis[] =
	"tlsc [ -iv ] [ -A authority ] [ -c connection ] [ -d data ] "
	"[ -n name ] [ -r report ] [ -t seconds ] [ program [ arg ... ] ]";

static int descriptor(int letter)
{
	return (int)option_number(letter, 0, INT_MAX, synopsis);
}

static void read_option(struct settings *settings, int letter)
{
	switch (letter) {
	case 'i': settings->verifies = false; break;
	case 'v': settings->is_verbose = true; break;
	case 'A': settings->authority = optarg; break;
	case 'c':
		settings->network_in = settings->network_out =
			descriptor(letter);
		break;
	case 'd':
		settings->plain_in = settings->plain_out = descriptor(letter);
		break;
	case 'n': settings->name = optarg; break;
	case 'r': settings->report = descriptor(letter); break;
	case 't':
		settings->seconds =
			option_number(letter, 1, SECONDS_LIMIT, synopsis);
		break;
	default: break;
	}
}

static void must_be_open(int fd, const char *what)
{
	if (fcntl(fd, F_GETFD) < 0)
		die_permanent("%s, descriptor %d, is not open", what, fd);
}

struct settings read_settings(int argc, char **argv)
{
	struct settings settings = {
		.verifies = true,
		.seconds = SECONDS,
		.network_in = READ_FD,
		.network_out = WRITE_FD,
		.plain_in = STDIN_FILENO,
		.plain_out = STDOUT_FILENO,
		.report = -1,
	};
	int letter;

	while ((letter = option_next(argc, argv, "ivA:c:d:n:r:t:", synopsis)) !=
	       -1)
		read_option(&settings, letter);
	settings.program = argv + optind;
	if (settings.verifies && !settings.name) {
		note("the server's name (-n) is needed to verify it; -i is for "
		     "doing without");
		die_usage(synopsis);
	}
	must_be_open(settings.network_in, "the connection");
	must_be_open(settings.network_out, "the connection");
	if (!*settings.program) must_be_open(settings.plain_in, "the data");
	if (settings.report >= 0) must_be_open(settings.report, "the report");
	return settings;
}
