/* SPDX-License-Identifier: ISC */
#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/parse.h"
#include "log.h"
#include "restart.h"
#include "server.h"

enum {
	SIGNALS_AT_ONCE = 4,
	FEW_SESSIONS = 100, /* and many are so many for each millisecond */
};

static void ignore(int signal)
{
	(void)signal;
}

static void end_server(int signal)
{
	(void)signal;
	_exit(EXIT_DONE);
}

/* A handler rather than SIG_IGN: exec gives programs the default action back.
   SIGTERM works at once. The others are blocked, so that the default action of
   SIGCHLD, which somebody may have changed, does not lose it. */
void catch_signals(struct server *server)
{
	struct sigaction action = { .sa_handler = ignore };
	unsigned long partner = 0;
	sigset_t told, term;

	sigaction(SIGPIPE, &action, NULL);
	action.sa_handler = end_server;
	sigaction(SIGTERM, &action, NULL);
	action.sa_handler = SIG_DFL;
	sigaction(SIGCHLD, &action, NULL);
	sigemptyset(&told);
	sigaddset(&told, SIGCHLD);
	sigaddset(&told, SIGHUP);
	sigaddset(&told, SIGUSR1);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &told, &server->program_signals);
	sigprocmask(SIG_UNBLOCK, &term, NULL); /* a restart blocks it */
	sigdelset(&server->program_signals, SIGCHLD);
	sigdelset(&server->program_signals, SIGHUP);
	sigdelset(&server->program_signals, SIGTERM);
	sigdelset(&server->program_signals, SIGUSR1);

	parse_leading_number(getenv(PARTNER_VARIABLE), &partner);
	server->partner = (pid_t)partner;
	server->ends_unseen = true; /* during a restart */
	server->signals = signalfd(-1, &told, SFD_NONBLOCK | SFD_CLOEXEC);
	if (server->signals < 0) fail(server->settings, "await signals");
}

/* A supervisor can start both anew; we cannot. */
static _Noreturn void end_with_partner(const struct server *server)
{
	if (server->settings->verbosity != QUIET)
		note("fatal: process %d, a part of the service, has ended",
		     (int)server->partner);
	_exit(EXIT_TRY_AGAIN);
}

/* waitpid's answer. */
static pid_t end_session(struct server *server, pid_t which)
{
	struct session ended;
	int status;
	pid_t pid = waitpid(which, &status, WNOHANG);

	if (pid > 0 && pid == server->partner) end_with_partner(server);
	/* It may be a child of whoever exec'ed the server. */
	if (pid <= 0 || !sessions_end(&server->sessions, pid, &ended))
		return pid;
	limits_session_ends(&server->limits, &ended.ip);
	log_end(server, pid, status);
	write_log(server);
	return pid;
}

/* Signals of one kind that come before the first is read are a single one, so
   other children may have ended than the one that it names. To be asked for
   any of them, the kernel goes through all, which takes it longer than
   everything else for a client when there are thousands: the more there are,
   the less often it is asked. */
void search_ended_sessions(struct server *server)
{
	size_t many;

	if (search_timeout(server) != 0) return;
	while ((server->sessions.count > 0 || server->partner) &&
	       end_session(server, -1) > 0)
		continue;
	many = server->sessions.count / FEW_SESSIONS;
	server->ends_unseen = false;
	server->next_search =
		many ? deadline_in(0) + (deadline)many : DEADLINE_NEVER;
}

int search_timeout(const struct server *server)
{
	if (!server->ends_unseen) return -1;
	if (server->next_search == DEADLINE_NEVER) return 0;
	return deadline_left(server->next_search);
}

void serve_signals(struct server *server)
{
	struct signalfd_siginfo signals[SIGNALS_AT_ONCE];
	ssize_t size = read(server->signals, signals, sizeof signals);
	size_t count = size > 0 ? (size_t)size / sizeof *signals : 0;
	bool is_to_restart = false;

	for (size_t i = 0; i < count; i++) {
		if (signals[i].ssi_signo == SIGHUP) is_to_restart = true;
		if (signals[i].ssi_signo == SIGUSR1) log_table(server);
		if (signals[i].ssi_signo != SIGCHLD) continue;
		server->ends_unseen = true;
		if (server->sessions.count >= FEW_SESSIONS &&
		    signals[i].ssi_pid > 0)
			end_session(server, (pid_t)signals[i].ssi_pid);
	}
	if (is_to_restart) restart(server);
}
