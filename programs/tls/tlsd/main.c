/* tlsd: speaks TLS for programs that speak SMTP in plain text. It is handed
   connections (system/handover.h), waits until the program asks for TLS, and
   then copies between the network and two pipes.
   The surprise: there is no exec and no certificate to read when a session
   starts: a process has OpenSSL, the keys and everything that a handshake needs
   in memory, and forks. The loader, the worker that it starts, the keeper of the
   keys that this one starts, and a process for each session: each does what the
   next must not be able to do, and no program that speaks SMTP is among them.
   Takes its certificates from the environment (tlsd(8)); speaks TLS 1.2 and
   1.3 (RFC 5246, RFC 8446); gives one log line for each session. Exit codes: 0
   when nobody can hand over any more, or after SIGTERM; 100 wrong use; 111
   something could not be loaded.
   SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "context.h"
#include "loader.h"
#include "session.h"
#include "settings.h"
#include "system/handover.h"
#include "tickets.h"

/* Without these, a connection could become the log. */
static void fill_standard_descriptors(void)
{
	int fd;

	do fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0) close(fd);
}

/* The byte is there already, mostly. Ends the process when none comes. */
static enum session_command wait_for_command(const struct handover *session)
{
	char command;
	ssize_t got;

	if (session->flags & HANDOVER_IMMEDIATE) return SESSION_START_AND_TELL;
	do got = read(session->descriptors[HANDOVER_CONTROL], &command, 1);
	while (got < 0 && errno == EINTR);
	if (got <= 0) exit(EXIT_DONE);
	if (command != SESSION_START && command != SESSION_START_AND_TELL)
		die_permanent("unknown command on the control socket");
	return (enum session_command)command;
}

/* ucspi-tls has found no tlsd and made one of its child. Nobody else can have
   a ticket from here, so none is given. */
static _Noreturn void serve_one(const struct settings *settings)
{
	static struct tickets no_tickets;
	struct handover session;
	SSL_CTX *context;
	int taken = handover_receive(STDIN_FILENO, &session);

	if (taken < 0) die_temporary("unable to take the session:");
	if (taken == 0) exit(EXIT_DONE);
	signal(SIGPIPE, SIG_IGN);
	context = context_load(settings, &no_tickets);
	settings_confine(settings);
	session_run(settings, context, &session, wait_for_command(&session));
}

int main(int argc, char **argv)
{
	static struct settings settings;
	const char *slash = strrchr(argv[0], '/');

	program_name = slash ? slash + 1 : argv[0];
	/* For the loader, too: it has the key's password, and what all tickets
	   are made of. */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		die_temporary("unable to keep memory private:");
	fill_standard_descriptors();
	settings_read(&settings, argc, argv);
	if (settings.single_session) serve_one(&settings);
	loader_run(&settings);
}
