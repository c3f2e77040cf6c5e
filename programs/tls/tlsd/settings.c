/* SPDX-License-Identifier: ISC */
#include "settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/message.h"
#include "base/options.h"
#include "base/parse.h"
#include "system/process.h"

static const char synopsis[] =
	"tlsd [ -13ivqQ ] [ -c waiting ] [ -f fd ] [ -T handshake-seconds ] "
	"[ -t ticket-seconds ] [ -w idle-seconds ] [ socket ]";

enum {
	HANDSHAKE_SECONDS = 26, /* as in ucspi-ssl */
	IDLE_SECONDS = 3600,
	TICKET_SECONDS = 7200,
	LONGEST_TICKET = 86400 * 7, /* RFC 8446 section 4.6.1 */
	WAITING_LIMIT = 16384,
	LONGEST_WAIT = 86400 * 365,
	PASSWORD_FD = 3,
};

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static unsigned long number_variable(const char *name, unsigned long otherwise,
				     unsigned long maximum)
{
	const char *value = variable(name);
	unsigned long number = otherwise;

	if (value && parse_number(value, 0, maximum, &number) < 0)
		die_permanent("%s is not a number from 0 to %lu", name,
			      maximum);
	return number;
}

/* Up to a NUL, not to the end: who wrote it may keep the pipe open. */
static void read_password(struct settings *settings)
{
	size_t length = 0;
	ssize_t got;

	do {
		if (length == PASSWORD_SIZE)
			die_permanent("the password on descriptor 3 is too "
				      "long");
		do got = read(PASSWORD_FD, settings->password + length, 1);
		while (got < 0 && errno == EINTR);
		if (got < 0) die_temporary("unable to read descriptor 3:");
		if (got == 0) settings->password[length] = '\0';
	} while (settings->password[length++]);
	close(PASSWORD_FD);
}

static void read_environment(struct settings *settings)
{
	const char *chain = variable("CERTCHAINFILE");
	const unsigned long most_id = 0xfffffffe;

	settings->certificate = chain ? chain : variable("CERTFILE");
	settings->key = variable("KEYFILE");
	settings->staple = variable("OCSPFILE");
	settings->ca_file = variable("CAFILE");
	settings->ca_folder = variable("CADIR");
	settings->client_ca_file = variable("CCAFILE");
	if (settings->client_ca_file &&
	    strcmp(settings->client_ca_file, "-") == 0)
		settings->client_ca_file = NULL;
	settings->crl_folder = variable("CRLDIR");
	settings->dh_file = variable("DHFILE");
	settings->ciphers = variable("CIPHERS");
	settings->verify_depth = -1;
	if (variable("VERIFYDEPTH"))
		settings->verify_depth =
			(long)number_variable("VERIFYDEPTH", 0, 1000);
	settings->root = variable("SSL_CHROOT");
	settings->user = (uid_t)number_variable("SSL_UID", 0, most_id);
	settings->group = (gid_t)number_variable("SSL_GID", 0, most_id);
}

static void read_options(struct settings *settings, int argc, char **argv)
{
	int letter;

	while ((letter = option_next(argc, argv,
				     "13ivqQc:f:T:t:w:", synopsis)) != -1) {
		unsigned long maximum = LONGEST_WAIT, *number = NULL;

		switch (letter) {
		case '1': settings->single_session = true; break;
		case '3': read_password(settings); break;
		case 'i': settings->require_certificate = true; break;
		case 'v': settings->verbosity = VERBOSE; break;
		case 'q': settings->verbosity = QUIET; break;
		case 'Q': settings->verbosity = NORMAL; break;
		case 'f':
			settings->ready_fd = (int)option_number(
				letter, 1, 1 << 20, synopsis);
			break;
		case 'c':
			number = &settings->waiting_limit;
			maximum = WAITING_LIMIT;
			break;
		case 'T': number = &settings->handshake_seconds; break;
		case 'w': number = &settings->idle_seconds; break;
		default:
			number = &settings->ticket_seconds;
			maximum = LONGEST_TICKET;
			break;
		}
		if (number)
			*number = option_number(letter, letter == 't' ? 0 : 1,
						maximum, synopsis);
	}
	settings->socket_path = argv[optind];
	if (argv[optind] && (argv[optind + 1] || settings->single_session))
		die_usage(synopsis);
}

void settings_read(struct settings *settings, int argc, char **argv)
{
	*settings = (struct settings){
		.verbosity = NORMAL,
		.handshake_seconds = HANDSHAKE_SECONDS,
		.idle_seconds = IDLE_SECONDS,
		.ticket_seconds = TICKET_SECONDS,
		.waiting_limit = WAITING_LIMIT,
		.ready_fd = -1,
	};
	read_options(settings, argc, argv);
	read_environment(settings);
}

void settings_confine(const struct settings *settings)
{
	const char *what;

	if (settings->root && (chroot(settings->root) < 0 || chdir("/") < 0))
		die_temporary("unable to change the root to %s:",
			      settings->root);
	if (process_drop_privileges(settings->user, settings->group, &what) < 0)
		die_temporary("unable to %s:", what);
	/* Behind setuid, which sets it anew. */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		die_temporary("unable to keep memory private:");
}
