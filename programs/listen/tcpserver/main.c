/* tcpserver: accepts TCP connections and runs a program for each of them, with
   the connection on descriptors 0 and 1 and its two ends in the environment.
   The surprise: one process decides everything before there is another one. It
   reads the rules, refuses and builds the environment itself, and never waits
   for a client; so a refused client costs neither a fork nor a slot, and a
   served one costs a vfork and the exec.
   Takes ucspi-tcp's options; gives its variables (tcp-environ(5)), its log
   lines and its exit codes: 100 wrong use, 111 cannot listen, 0 after SIGTERM,
   which leaves the running sessions alone.
   SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "client.h"
#include "listener.h"
#include "log.h"
#include "server.h"
#include "settings.h"
#include "system/file.h"
#include "system/process.h"

enum { BACK_OFF_MS = 100 }; /* after running out of something */

/* Descriptors or memory have run out, mostly. The client stays in the queue,
   so to try again at once would be to spin. */
static void back_off(struct server *server, const char *doing)
{
	server->out_of_something = true;
	if (!server->failing && server->settings->verbosity != QUIET)
		warn("unable to %s:", doing);
	server->failing = true;
}

static void accept_client(struct server *server)
{
	struct sockaddr_storage remote = { 0 };
	socklen_t size = sizeof remote;

	/* Descriptor 0 was closed and is the lowest free one, so this is where
	   the connection comes out, just where the program wants it. No other
	   exec can happen before it is closed again: CLOEXEC is not needed. */
	if (accept(server->listener, (struct sockaddr *)&remote, &size) ==
	    STDIN_FILENO) {
		server->failing = false;
		serve_client(server, &remote);
		close(STDIN_FILENO);
		return;
	}
	if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		back_off(server, "accept a connection");
}

static bool forget_session(struct server *server, pid_t pid)
{
	for (size_t i = 0; i < server->session_count; i++) {
		if (server->sessions[i] != pid) continue;
		server->sessions[i] = server->sessions[--server->session_count];
		return true;
	}
	return false; /* a child of whoever exec'ed the server */
}

static void reap_sessions(struct server *server)
{
	int status;
	pid_t pid;

	while (server->session_count > 0 &&
	       (pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (!forget_session(server, pid)) continue;
		log_end(server, pid, status);
		write_log(server);
	}
}

/* Until a client is there (true), a child has ended or a pause is over. At the
   limit the kernel's backlog keeps the clients. */
static bool wait_for_client(struct server *server)
{
	static const struct timespec pause = { .tv_nsec =
						       BACK_OFF_MS * 1000000L };
	struct pollfd listener = { .fd = server->listener, .events = POLLIN };
	bool paused = server->out_of_something;
	bool listening =
		!paused && server->session_count < server->settings->limit;
	int ready;

	server->out_of_something = false;
	ready = ppoll(&listener, listening, paused ? &pause : NULL,
		      &server->signals_outside);
	if (ready < 0 && errno != EINTR)
		back_off(server, "wait for a connection");
	return ready > 0;
}

static _Noreturn void serve(struct server *server)
{
	for (;;) {
		bool client_is_there = wait_for_client(server);

		/* Also when no signal was seen: while clients keep coming,
		   ppoll returns without delivering any. */
		reap_sessions(server);
		if (client_is_there) accept_client(server);
	}
}

static void wake_up(int signal)
{
	(void)signal;
}

static void end_server(int signal)
{
	(void)signal;
	_exit(EXIT_DONE);
}

/* Handlers rather than SIG_IGN: exec gives programs the default action back.
   SIGTERM is not kept for ppoll as SIGCHLD is, since a stream of clients would
   keep it out. */
static void catch_signals(sigset_t *outside)
{
	struct sigaction action = { .sa_handler = wake_up };
	sigset_t child;

	sigaction(SIGPIPE, &action, NULL);
	sigaction(SIGCHLD, &action, NULL);
	action.sa_handler = end_server;
	sigaction(SIGTERM, &action, NULL);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, outside);
	sigdelset(outside, SIGCHLD);
	sigdelset(outside, SIGTERM);
}

/* A descriptor of ours that came out as 0, 1 or 2 would be taken for the
   connection or the log. */
static void fill_standard_descriptors(void)
{
	int fd;

	do fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0) close(fd);
}

static void drop_privileges(const struct settings *settings)
{
	const char *step = "set uid";

	/* -1 would mean "leave it as it is" to the kernel. */
	if (settings->user >= UINT_MAX || settings->group >= UINT_MAX) {
		errno = EINVAL;
		fail(settings, step);
	}
	if (process_drop_privileges((uid_t)settings->user,
				    (gid_t)settings->group, &step) < 0)
		fail(settings, step);
}

static bool is_any_address(const struct net_ip *ip)
{
	static const struct net_ip any;

	return memcmp(ip->bytes, any.bytes, sizeof any.bytes) == 0;
}

/* Where the kernel takes no source routes, which is its default, there are no
   options to remove from each connection. */
static bool source_routes_are_possible(void)
{
	static const char path[] =
		"/proc/sys/net/ipv4/conf/all/accept_source_route";
	struct str setting = { 0 };
	bool possible = file_read(path, &setting, 16) < 0 ||
			strcmp(setting.data, "0\n") != 0;

	str_free(&setting);
	return possible;
}

static void print_port(const struct server *server)
{
	char text[sizeof "4294967295\n"];
	int length = snprintf(text, sizeof text, "%u\n", server->local_port);
	ssize_t written = write(STDOUT_FILENO, text, (size_t)length);

	(void)written; /* nobody wants to know */
}

static void warn_of_missing_look_ups(const struct settings *settings)
{
	bool local = !settings->local_host;

	if (settings->verbosity == QUIET) return;
	if (!settings->look_up_host && !settings->look_up_info && !local)
		return;
	warn("no look-ups in this version, these stay unknown:%s%s%s",
	     settings->look_up_host ? " TCPREMOTEHOST (-h)" : "",
	     settings->look_up_info ? " TCPREMOTEINFO (-r)" : "",
	     local ? " TCPLOCALHOST (no -l)" : "");
}

int main(int argc, char **argv)
{
	struct settings settings;
	struct server server = { .settings = &settings };

	program_name = "tcpserver";
	settings = read_options(argc, argv);
	fill_standard_descriptors();
	catch_signals(&server.signals_outside);
	server.listener = start_listening(&settings, &server.local_ip,
					  &server.local_port);
	drop_privileges(&settings);

	server.local_ip_varies = is_any_address(&server.local_ip);
	server.clear_ip_options =
		!settings.keep_ip_options && source_routes_are_possible();
	server.path = getenv("PATH");
	server.sessions = calloc(settings.limit + 1, sizeof(pid_t));
	if (!server.sessions) fail(&settings, "remember so many sessions");
	str_append_text(&server.reading_rules, "read ");
	str_append_text(&server.reading_rules,
			settings.rules ? settings.rules : "");
	inherit_environment(&server.environment, &settings);
	prepare_log(&server);

	if (settings.print_port) print_port(&server);
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	warn_of_missing_look_ups(&settings);
	log_status(&server, 0);
	write_log(&server);
	serve(&server);
}
