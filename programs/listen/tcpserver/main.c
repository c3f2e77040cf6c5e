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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arrivals.h"
#include "base/exit_codes.h"
#include "base/message.h"
#include "client.h"
#include "listener.h"
#include "log.h"
#include "readiness.h"
#include "restart.h"
#include "server.h"
#include "settings.h"
#include "signals.h"
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

static void accept_client(struct server *server, size_t listener)
{
	struct client client = { .fd = STDIN_FILENO, .listener = listener };
	struct sockaddr_storage remote = { 0 };
	socklen_t size = sizeof remote;

	/* Descriptor 0 was closed and is the lowest free one, so this is where
	   the connection comes out, just where the program wants it. No other
	   exec can happen before it is closed again: CLOEXEC is not needed. */
	if (accept(server->listeners.list[listener].fd,
		   (struct sockaddr *)&remote, &size) == client.fd) {
		server->failing = false;
		describe_client(server, &client, &remote);
		if (serve_client(server, &client) == WAITS &&
		    await_client(server, &client) < 0) {
			drop_client(server, &client, "wait for the client");
			server->out_of_something = true;
		}
		close(client.fd);
		return;
	}
	if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		back_off(server, "accept a connection");
}

/* What the server waits for; the listeners come last, because there are times
   when it has no use for clients. */
enum { SIGNALS, ARRIVALS, LISTENERS };

static void list_awaited(const struct server *server, struct pollfd *awaited)
{
	size_t count = server->listeners.count;

	awaited[SIGNALS].fd = server->signals;
	awaited[ARRIVALS].fd = server->arrivals.epoll;
	for (size_t i = 0; i < count; i++)
		awaited[LISTENERS + i].fd = server->listeners.list[i].fd;
	for (size_t i = 0; i < LISTENERS + count; i++)
		awaited[i].events = POLLIN;
}

static struct pollfd *prepare_to_wait(const struct server *server)
{
	struct pollfd *awaited =
		calloc(LISTENERS + server->listeners.count, sizeof *awaited);

	if (awaited) {
		list_awaited(server, awaited);
		return awaited;
	}
	fail(server->settings, "wait for so many");
}

static bool has_room(const struct server *server)
{
	return clients_present(server) < server->settings->limit &&
	       server->arrivals.count < server->arrivals.room;
}

/* Two of poll's timeouts. */
static int sooner(int a, int b)
{
	return b < 0 || (a >= 0 && a < b) ? a : b;
}

/* Until something is there (true) or a time is over. At the limit the kernel's
   backlog keeps the clients. */
static bool wait_for_something(struct server *server, struct pollfd *awaited)
{
	bool paused = server->out_of_something;
	size_t listeners =
		paused || !has_room(server) ? 0 : server->listeners.count;
	int timeout = sooner(arrivals_timeout(server), search_timeout(server));
	int ready;

	if (paused) timeout = sooner(timeout, BACK_OFF_MS);
	server->out_of_something = false;
	for (size_t i = 0; i < server->listeners.count; i++)
		awaited[LISTENERS + i].revents = 0;
	ready = poll(awaited, LISTENERS + listeners, timeout);
	if (ready < 0 && errno != EINTR) {
		back_off(server, "wait for a connection");
		poll(NULL, 0, BACK_OFF_MS);
	}
	return ready > 0;
}

/* Where there is not room for all, each listener has its turn: a flood at one
   must not keep those at another from being served. */
static void accept_clients(struct server *server, const struct pollfd *awaited)
{
	size_t count = server->listeners.count, first = server->listeners.turn;

	for (size_t i = 0; i < count; i++) {
		size_t at = (first + i) % count;

		if (!awaited[LISTENERS + at].revents || !has_room(server))
			continue;
		server->listeners.turn = (at + 1) % count;
		accept_client(server, at);
	}
}

static _Noreturn void serve(struct server *server)
{
	struct pollfd *awaited = prepare_to_wait(server);

	for (;;) {
		bool something = wait_for_something(server, awaited);

		if (something && awaited[SIGNALS].revents)
			serve_signals(server);
		search_ended_sessions(server);
		if (something && awaited[ARRIVALS].revents)
			serve_arrivals(server);
		expire_arrivals(server);
		if (something) accept_clients(server, awaited);
	}
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

static const char *limit_fault(int error)
{
	if (error == EINVAL) return "there is no number in it";
	return error == ERANGE ? "its number is too large" : error_text(error);
}

/* The limit that -c names a file for. A service that runs keeps the one it has
   when that is of no use. */
static void settle_limit(struct settings *settings,
			 const struct inheritance *inheritance)
{
	const char *fault;
	char shown[NAME_SHOWN];

	if (!settings->limit_file) return;
	if (inheritance->lines) settings->limit = inheritance->limit;
	if (read_limit(settings->limit_file, &settings->limit) == 0) return;
	fault = limit_fault(errno);
	printable_text(shown, sizeof shown, settings->limit_file);
	if (settings->verbosity != QUIET && inheritance->lines)
		warn("unable to read %s: %s", shown, fault);
	if (inheritance->lines) return;
	if (settings->verbosity == QUIET) exit(EXIT_TRY_AGAIN);
	die_temporary("unable to read %s: %s", shown, fault);
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int main(int argc, char **argv)
{
	struct settings settings;
	struct server server = { .settings = &settings, .arguments = argv };
	struct inheritance inheritance = { 0 };
	bool restarted;

	program_name = argc ? name_of(argv[0]) : "tcpserver";
	settings = read_options(argc, argv);
	fill_standard_descriptors();
	restarted = find_inheritance(&inheritance);
	if (!restarted) check_readiness(&settings);
	settle_limit(&settings, &inheritance);
	catch_signals(&server);
	if (prepare_arrivals(&server.arrivals) < 0)
		fail(&settings, "wait for clients");
	if (!restarted) {
		start_listening(&server.listeners, &settings);
		drop_privileges(&settings);
	}
	server.clear_ip_options =
		!settings.keep_ip_options && source_routes_are_possible();
	server.path = getenv("PATH");
	str_append_text(&server.reading_rules, "read ");
	str_append_text(&server.reading_rules,
			settings.rules ? settings.rules : "");
	inherit_environment(&server.environment, &settings);
	prepare_log(&server);
	limits_prepare(&server.limits, &settings);
	prepare_look_ups(&server);

	if (restarted) take_inheritance(&server, &inheritance);
	else tell_readiness(&server.listeners, &settings);
	limit_arrivals(&server);
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	log_status(&server, clients_present(&server));
	write_log(&server);
	serve(&server);
}
