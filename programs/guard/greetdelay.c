/* greetdelay: lets a client wait for the greeting, and can drop one that talks
   before it, or have it refused by the rblsmtpd that comes next. It looks at
   the connection but never reads from it: what an early client has sent is
   still there for the next program.

   Takes -d or $GREETDELAY (seconds, at most 3600), -D or $DROP_PRE_GREET, -r,
   and $RELAYCLIENT or an empty $RBLSMTPD, which spare the client all of this.
   The first two settings are gone from the environment of the next program. A
   client that is dropped gets a 554 and exit code 1, as from the qmail-smtpd
   that these variables come from.

   SPDX-License-Identifier: ISC */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"
#include "base/options.h"
#include "mail/early_talker.h"
#include "system/process.h"

enum { EXIT_DROPPED = 1 }; /* what logs know as DROP_PRE_GREET at work */

static const char synopsis[] =
	"greetdelay [ -Dr ] [ -d seconds ] program [ arg ... ]";

struct settings {
	struct early_talker client;
	bool to_rblsmtpd; /* -r */
	char **next;
};

static struct settings read_settings(int argc, char **argv)
{
	struct settings settings = { .client =
					     early_talker_from_environment() };
	int letter;

	while ((letter = option_next(argc, argv, "Dd:r", synopsis)) != -1) {
		switch (letter) {
		case 'D': settings.client.drop = true; break;
		case 'r':
			settings.to_rblsmtpd = settings.client.drop = true;
			break;
		default:
			settings.client.seconds = option_number(
				letter, 0, EARLY_TALKER_MOST_SECONDS, synopsis);
		}
	}
	if (!argv[optind]) die_usage(synopsis);
	settings.next = argv + optind;
	early_talker_settle(&settings.client);
	return settings;
}

/* The line that log readers look for begins with qmail-smtpd[PID], because it
   came from there; so it does here when that is who would have greeted. */
static const char *name_for_log(const char *next)
{
	const char *slash = strrchr(next, '/');
	const char *name = slash ? slash + 1 : next;

	if (strcmp(name, "smtpd") == 0 || strcmp(name, "qmail-smtpd") == 0)
		return "qmail-smtpd";
	return "greetdelay";
}

/* A verdict that is there already has its own reason. */
static void hand_verdict_on(void)
{
	if (setenv("RBLSMTPD", "-" EARLY_TALKER_TEXT, 0) < 0)
		die_temporary("unable to set RBLSMTPD:");
}

/* Comes back when the next program is to be run. */
static void wait_for_the_time(const struct settings *settings)
{
	enum early_talker_sign sign =
		early_talker_wait(&settings->client, STDIN_FILENO);

	if (sign == EARLY_TALKER_WAITS || !settings->client.drop) return;
	early_talker_log(name_for_log(settings->next[0]), sign);
	if (sign == EARLY_TALKER_SPOKE && settings->to_rblsmtpd) {
		hand_verdict_on();
		return;
	}
	if (sign == EARLY_TALKER_SPOKE)
		early_talker_refuse(STDIN_FILENO, STDOUT_FILENO);
	exit(EXIT_DROPPED);
}

int main(int argc, char **argv)
{
	struct settings settings;

	program_name = "greetdelay";
	settings = read_settings(argc, argv);
	early_talker_clear_environment();
	if (settings.client.seconds > 0) wait_for_the_time(&settings);
	process_run_next(settings.next);
}
