/* greetdelay: lets a client wait for the greeting, and can drop one that talks
   before it (RFC 5321 section 3.1: the client waits for the 220). It looks at
   the connection but never reads from it: what an early client has sent is
   still there for the next program.

   Takes -d or $GREETDELAY (seconds, at most 3600), -D or $DROP_PRE_GREET, and
   $RELAYCLIENT, which spares the client all of this. Both settings are gone
   from the environment of the next program. A client that is dropped gets a
   554 and exit code 1, as from the qmail-smtpd that these variables come from.

   SPDX-License-Identifier: ISC */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "base/parse.h"
#include "base/str.h"
#include "mail/connection.h"
#include "system/deadline.h"
#include "system/process.h"
#include "system/stream.h"

enum {
	MOST_SECONDS = 3600,
	DROP_SECONDS = 1,    /* the wait when dropping, if none is set */
	REPLY_SECONDS = 10,  /* for the 554 */
	DRAIN_SECONDS = 2,   /* for the client to take it and hang up */
	DRAIN_LIMIT = 65536, /* bytes thrown away meanwhile */
	EXIT_DROPPED = 1,    /* what logs know as DROP_PRE_GREET at work */
};

static const char synopsis[] =
	"greetdelay [ -D ] [ -d seconds ] program [ arg ... ]";
static const char reply_dropped[] = "554 SMTP protocol violation\r\n";

struct settings {
	unsigned long seconds;
	bool drop;
	char **next;
};

enum sign { SIGN_NONE, SIGN_DATA, SIGN_CLOSED };

/* Lenient, as every number in the environment: no digits, no wait. */
static struct settings read_environment(void)
{
	struct settings settings = { 0 };

	parse_leading_number(getenv("GREETDELAY"), &settings.seconds);
	if (settings.seconds > MOST_SECONDS) settings.seconds = MOST_SECONDS;
	settings.drop = parse_flag(getenv("DROP_PRE_GREET"));
	return settings;
}

static struct settings read_settings(int argc, char **argv)
{
	struct settings settings = read_environment();
	int letter;

	while ((letter = option_next(argc, argv, "Dd:", synopsis)) != -1) {
		if (letter == 'D') settings.drop = true;
		else
			settings.seconds = option_number(
				letter, 0, MOST_SECONDS, synopsis);
	}
	if (!argv[optind]) die_usage(synopsis);
	settings.next = argv + optind;
	if (settings.drop && settings.seconds == 0)
		settings.seconds = DROP_SECONDS;
	if (getenv("RELAYCLIENT")) {
		settings.drop = false;
		settings.seconds = 0;
	}
	return settings;
}

/* The line that log readers look for begins with qmail-smtpd[PID], because it
   came from there; so it does here when that is who would have greeted. */
static void log_dropped(const struct settings *settings, const char *what)
{
	const char *ip = connection_from_environment().remote_ip;
	const char *next = settings->next[0];
	const char *slash = strrchr(next, '/');
	const char *name = slash ? slash + 1 : next;
	char printable_ip[64], prefix[64];

	if (strcmp(name, "smtpd") == 0 || strcmp(name, "qmail-smtpd") == 0)
		name = "qmail-smtpd";
	else name = "greetdelay";
	snprintf(prefix, sizeof prefix, "%s[%ld]", name, (long)getpid());
	program_name = prefix;
	note("before greeting: [%s] %s",
	     printable_text(printable_ip, sizeof printable_ip,
			    ip ? ip : "unknown"),
	     what);
	program_name = "greetdelay";
}

/* What poll woke us for, without taking it. */
static enum sign look_at_input(void)
{
	char byte;
	int waiting = 0;
	ssize_t n = recv(STDIN_FILENO, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n > 0) return SIGN_DATA;
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) return SIGN_NONE;
	if (n < 0 && errno == ENOTSOCK &&
	    ioctl(STDIN_FILENO, FIONREAD, &waiting) == 0 && waiting > 0)
		return SIGN_DATA;
	return SIGN_CLOSED;
}

static enum sign wait_for_a_sign(unsigned long seconds)
{
	deadline end = deadline_in(seconds);
	enum sign sign = SIGN_NONE;

	while (sign == SIGN_NONE &&
	       deadline_wait(STDIN_FILENO, POLLIN | POLLRDHUP, end) == 1)
		sign = look_at_input();
	return sign;
}

/* Early bytes that are never read would make the close a reset, which takes
   the reply away from the client: so they are read now, within limits. */
static void drain_input(void)
{
	deadline end = deadline_in(DRAIN_SECONDS);
	char thrown_away[4096];
	size_t total = 0;

	while (total < DRAIN_LIMIT &&
	       deadline_wait(STDIN_FILENO, POLLIN, end) == 1) {
		ssize_t n = read(STDIN_FILENO, thrown_away, sizeof thrown_away);

		if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
			return;
		if (n > 0) total += (size_t)n;
	}
}

static void refuse_early_talker(void)
{
	char room[sizeof reply_dropped];
	struct stream_out reply = { .fd = STDOUT_FILENO,
				    .seconds = REPLY_SECONDS,
				    .data = room,
				    .size = sizeof room };

	signal(SIGPIPE, SIG_IGN);
	if (stream_put_text(&reply, reply_dropped) < 0 ||
	    stream_flush(&reply) < 0)
		return;
	if (shutdown(STDOUT_FILENO, SHUT_WR) < 0) close(STDOUT_FILENO);
	drain_input();
}

static void drop_early_client(const struct settings *settings)
{
	switch (wait_for_a_sign(settings->seconds)) {
	case SIGN_NONE: return;
	case SIGN_DATA:
		log_dropped(settings, "client sent data");
		refuse_early_talker();
		break;
	case SIGN_CLOSED: log_dropped(settings, "client disconnected"); break;
	}
	exit(EXIT_DROPPED);
}

int main(int argc, char **argv)
{
	struct settings settings;

	program_name = "greetdelay";
	settings = read_settings(argc, argv);
	unsetenv("GREETDELAY");
	unsetenv("DROP_PRE_GREET");
	if (settings.drop) drop_early_client(&settings);
	else if (settings.seconds > 0)
		/* Data is no reason to wake up, a client that has gone is. */
		deadline_wait(STDIN_FILENO, POLLRDHUP,
			      deadline_in(settings.seconds));
	process_run_next(settings.next);
}
