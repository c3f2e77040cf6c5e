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
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "base/parse.h"
#include "base/str.h"
#include "mail/rules.h"
#include "system/file.h"
#include "system/net.h"
#include "system/process.h"
#include "system/table.h"

static const char usage[] =
	"tcpserver [ -461UXpPhHrRoOdDqQv ] [ -c limit ] [ -x rules.cdb ] "
	"[ -B banner ] [ -g gid ] [ -u uid ] [ -b backlog ] [ -l localname ] "
	"[ -t timeout ] [ -I interface ] host port program";

enum {
	MOST_SESSIONS = 4194304,   /* Linux has no more pids */
	BACK_OFF_MS = 100,         /* after running out of something */
	PORT_TEXT = 11,            /* any unsigned, as the compiler sees it */
	SHOWN_BYTES = 100,         /* of a host's name in the log */
	NAME_SHOWN = 256,          /* of other names in a message */
	LOG_ROOM = 1024,           /* more than a session's lines need */
	OWN_VARIABLES = 12,        /* the most that one client gets */
	OWN_VARIABLE_BYTES = 64,   /* without a name from the outside */
	FIRST_RULE_VARIABLES = 32, /* more of them make the list grow */
};

enum verbosity { QUIET, ERRORS, STATUS };

struct settings {
	enum verbosity verbosity;
	unsigned long limit;
	unsigned long backlog;
	unsigned long user;
	unsigned long group;
	const char *rules;
	const char *banner;
	const char *local_host; /* NULL: unknown */
	const char *interface;
	bool allow_without_rules;
	bool print_port;
	bool keep_ip_options;
	bool send_at_once;
	bool only_ipv4;
	bool keep_ipv6_form;
	bool look_up_host;
	bool look_up_info;
	const char *host;
	unsigned port;
	char **program;
};

/* What a program is given: our variables, a rule's, and the inherited ones
   that have none of our names. Made anew for each client in the same memory. */
struct environment {
	const char **inherited;
	size_t inherited_count;
	const char **list;
	size_t count;
	size_t room;
	struct str text; /* of our variables; never moves */
};

struct client {
	enum net_family family;
	unsigned scope; /* of a link-local address, or 0 */
	char local_ip[NET_IP_TEXT];
	char remote_ip[NET_IP_TEXT];
	unsigned remote_port;
	const char *trouble; /* why it is dropped: doing what, */
	int cause;           /* and errno */
};

struct server {
	const struct settings *settings;
	int listener;
	struct net_ip local_ip;
	bool local_ip_varies; /* it listens on all addresses */
	bool clear_ip_options;
	bool out_of_something; /* accept again in BACK_OFF_MS */
	bool failing;          /* since the last client; reported */
	unsigned local_port;
	char local_host_shown[SHOWN_BYTES + sizeof "..."];
	const char *path;         /* a rule's PATH is for the program */
	struct str reading_rules; /* "read FILE" */
	sigset_t signals_outside; /* as programs get it, and ppoll */
	pid_t *sessions;
	size_t session_count;
	struct table rules;
	struct rules_match match;
	struct environment environment;
	struct str log;
};

/* The log. Each line has the wording of ucspi-tcp, for the programs that read
   it; lines that belong together leave in one write. */

static void log_status(struct server *server, size_t sessions)
{
	str_append_text(&server->log, "tcpserver: status: ");
	str_append_number(&server->log, sessions);
	str_append_text(&server->log, "/");
	str_append_number(&server->log, server->settings->limit);
	str_append_text(&server->log, "\n");
}

static void log_pid(struct server *server, const char *event, pid_t pid)
{
	str_append_text(&server->log, "tcpserver: ");
	str_append_text(&server->log, event);
	str_append_byte(&server->log, ' ');
	str_append_number(&server->log, (unsigned long)pid);
}

static void log_arrival(struct server *server, const struct client *client,
			pid_t pid)
{
	log_status(server, server->session_count + 1);
	log_pid(server, "pid", pid);
	str_append_text(&server->log, " from ");
	str_append_text(&server->log, client->remote_ip);
	str_append_text(&server->log, "\n");
}

/* LOCALHOST:LOCALIP:LOCALPORT REMOTEHOST:REMOTEIP:REMOTEINFO:REMOTEPORT */
static void log_verdict(struct server *server, const struct client *client,
			const char *verdict, pid_t pid)
{
	log_pid(server, verdict, pid);
	str_append_byte(&server->log, ' ');
	str_append_text(&server->log, server->local_host_shown);
	str_append_byte(&server->log, ':');
	str_append_text(&server->log, client->local_ip);
	str_append_byte(&server->log, ':');
	str_append_number(&server->log, server->local_port);
	str_append_text(&server->log, " :");
	str_append_text(&server->log, client->remote_ip);
	str_append_text(&server->log, "::");
	str_append_number(&server->log, client->remote_port);
	str_append_text(&server->log, "\n");
}

/* The status is wait's own number: 256 times the exit code, or the signal. */
static void log_end(struct server *server, pid_t pid, int status)
{
	log_pid(server, "end", pid);
	str_append_text(&server->log, " status ");
	str_append_number(&server->log, (unsigned long)status);
	str_append_text(&server->log, "\n");
	log_status(server, server->session_count);
}

static void write_log(struct server *server)
{
	ssize_t written = 0;

	if (server->settings->verbosity == STATUS)
		written = write(STDERR_FILENO, server->log.data,
				server->log.length);
	(void)written; /* a lost log must not stop the service */
	str_clear(&server->log);
}

static const char *show_name(char *shown, const char *name)
{
	size_t i;

	for (i = 0; i < SHOWN_BYTES && name[i]; i++) {
		bool plain = name[i] > 32 && name[i] < 127 && name[i] != '%' &&
			     name[i] != ':';

		shown[i] = plain ? name[i] : '?';
	}
	memcpy(shown + i, i < SHOWN_BYTES ? "" : "...",
	       i < SHOWN_BYTES ? sizeof "" : sizeof "...");
	return shown;
}

/* What goes wrong. `-q` says nothing of it. */

static void warn_dropping(const struct server *server, const char *doing)
{
	if (server->settings->verbosity == QUIET) return;
	warn("dropping connection, unable to %s:", doing);
}

static _Noreturn void fail(const struct settings *settings, const char *doing)
{
	if (settings->verbosity == QUIET) exit(EXIT_TRY_AGAIN);
	die_temporary("unable to %s:", doing);
}

/* The environment. */

static bool is_own_variable(const char *variable)
{
	static const char *const names[] = {
		"PROTO=",          "TCP6INTERFACE=",  "TCPLOCALIP=",
		"TCPLOCALPORT=",   "TCPLOCALHOST=",   "TCPREMOTEIP=",
		"TCPREMOTEPORT=",  "TCPREMOTEHOST=",  "TCPREMOTEINFO=",
		"TCP6LOCALIP=",    "TCP6LOCALPORT=",  "TCP6LOCALHOST=",
		"TCP6REMOTEIP=",   "TCP6REMOTEPORT=", "TCP6REMOTEHOST=",
		"TCP6REMOTEINFO=",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strncmp(variable, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static void inherit_environment(struct environment *environment,
				const struct settings *settings)
{
	const char *name = settings->local_host ? settings->local_host : "";
	size_t all = 0;

	while (environ[all]) all++;
	environment->room = all + OWN_VARIABLES + FIRST_RULE_VARIABLES;
	environment->inherited = calloc(all + 1, sizeof(char *));
	environment->list = calloc(environment->room, sizeof(char *));
	if (!environment->inherited || !environment->list)
		fail(settings, "keep the environment");
	for (size_t i = 0; i < all; i++)
		if (!is_own_variable(environ[i]))
			environment->inherited[environment->inherited_count++] =
				environ[i];
	str_reserve(&environment->text,
		    OWN_VARIABLES * OWN_VARIABLE_BYTES + 2 * strlen(name));
}

/* One of our variables; its name is not in the list yet. */
static void set_own(struct environment *environment, const char *protocol,
		    const char *name, const char *value)
{
	struct str *text = &environment->text;

	environment->list[environment->count++] = text->data + text->length;
	str_append_text(text, protocol);
	str_append_text(text, name);
	str_append_byte(text, '=');
	str_append(text, value, strlen(value) + 1);
}

static void set_ends(struct environment *environment, const char *protocol,
		     const struct server *server, const struct client *client)
{
	const char *form =
		server->settings->keep_ipv6_form && client->family == NET_IPV4
			? "::ffff:"
			: "";
	char text[sizeof "::ffff:" + NET_IP_TEXT];

	snprintf(text, sizeof text, "%s%s", form, client->local_ip);
	set_own(environment, protocol, "LOCALIP", text);
	snprintf(text, sizeof text, "%u", server->local_port);
	set_own(environment, protocol, "LOCALPORT", text);
	if (server->settings->local_host)
		set_own(environment, protocol, "LOCALHOST",
			server->settings->local_host);
	snprintf(text, sizeof text, "%s%s", form, client->remote_ip);
	set_own(environment, protocol, "REMOTEIP", text);
	snprintf(text, sizeof text, "%u", client->remote_port);
	set_own(environment, protocol, "REMOTEPORT", text);
}

/* A rule's variable takes the place of any other of that name. 0, or -1. */
static int set_variable(struct environment *environment, const char *variable)
{
	size_t name = strcspn(variable, "=") + 1;
	const char **larger;

	for (size_t i = 0; i < environment->count; i++) {
		if (strncmp(environment->list[i], variable, name) != 0)
			continue;
		environment->list[i] = variable;
		return 0;
	}
	if (environment->count + 1 == environment->room) {
		larger = realloc(environment->list,
				 2 * environment->room * sizeof(char *));
		if (!larger) return -1;
		environment->list = larger;
		environment->room *= 2;
	}
	environment->list[environment->count++] = variable;
	return 0;
}

static int build_environment(struct server *server, const struct client *client)
{
	struct environment *environment = &server->environment;
	bool ipv6 =
		client->family == NET_IPV6 || server->settings->keep_ipv6_form;
	char interface[IF_NAMESIZE];
	const char *item;
	size_t at = 0;

	environment->count = environment->inherited_count;
	memcpy(environment->list, environment->inherited,
	       environment->inherited_count * sizeof(char *));
	str_clear(&environment->text);
	set_own(environment, "", "PROTO", ipv6 ? "TCP6" : "TCP");
	set_ends(environment, "TCP", server, client);
	if (ipv6) set_ends(environment, "TCP6", server, client);
	if (client->scope && if_indextoname(client->scope, interface))
		set_own(environment, "TCP6", "INTERFACE", interface);

	while ((item = rules_next_item(server->match.data,
				       server->match.data_length, &at)))
		if (*item == '+' && strchr(item, '=') &&
		    set_variable(environment, item + 1) < 0)
			return -1;
	environment->list[environment->count] = NULL;
	return 0;
}

/* One client. */

enum verdict { ALLOW, DENY, DROP };

static bool rules_are_open(struct server *server)
{
	const char *path = server->settings->rules;

	if (!table_is_outdated(&server->rules, path)) return true;
	table_close(&server->rules);
	return table_open_copy(&server->rules, path) == 0;
}

static enum verdict drop(struct client *client, const char *trouble)
{
	client->trouble = trouble;
	client->cause = errno;
	return DROP;
}

/* A file that cannot be read drops the client: it might have denied. */
static enum verdict apply_rules(struct server *server, struct client *client)
{
	const struct rules_client asked = { .ip = client->remote_ip };
	const struct settings *settings = server->settings;
	struct rules_match *match = &server->match;

	match->data_length = 0;
	if (!settings->rules) return ALLOW;
	if (rules_are_open(server)) {
		enum table_answer answer =
			rules_find(&server->rules, &asked, match);

		if (answer == TABLE_ABSENT) match->data_length = 0;
		if (answer != TABLE_FAILED)
			return rules_deny(match->data, match->data_length)
				       ? DENY
				       : ALLOW;
	} else if (errno == ENOENT && settings->allow_without_rules) {
		return ALLOW;
	}
	return drop(client, server->reading_rules.data);
}

/* Which addresses the two ends have. */
static void describe_client(const struct server *server,
			    const struct sockaddr_storage *remote,
			    struct client *client)
{
	struct net_ip ip = server->local_ip;
	struct sockaddr_storage local = { 0 };
	socklen_t size = sizeof local;
	unsigned port;

	if (server->local_ip_varies) {
		/* It cannot fail; if it did, the address were "unknown". */
		(void)getsockname(STDIN_FILENO, (struct sockaddr *)&local,
				  &size);
		net_ip_of_socket(&local, &ip, &port);
	}
	net_ip_format(&ip, client->local_ip);
	net_ip_of_socket(remote, &ip, &client->remote_port);
	net_ip_format(&ip, client->remote_ip);
	client->family = ip.family;
	if (ip.family == NET_IPV6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, remote, sizeof in6);
		client->scope = in6.sin6_scope_id;
	}
}

static int send_banner(const char *banner)
{
	ssize_t sent = send(STDIN_FILENO, banner, strlen(banner),
			    MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < 0) return -1;
	if ((size_t)sent == strlen(banner)) return 0;
	errno = ENOBUFS;
	return -1;
}

/* What comes before the program runs, in the order of ucspi-tcp: a client that
   is denied has seen the banner. */
static enum verdict judge_client(struct server *server, struct client *client)
{
	const struct settings *settings = server->settings;
	enum verdict verdict;

	if (server->clear_ip_options && client->family == NET_IPV4)
		(void)setsockopt(STDIN_FILENO, IPPROTO_IP, IP_OPTIONS, NULL, 0);
	if (settings->banner && send_banner(settings->banner) < 0)
		return drop(client, "print banner");
	verdict = apply_rules(server, client);
	if (verdict == ALLOW && build_environment(server, client) < 0)
		return drop(client, "set the rule's variables");
	return verdict;
}

/* After vfork: this borrows the server's memory until the exec, so it leaves
   nothing changed there but the emptied log. */
static _Noreturn void become_program(struct server *server,
				     const struct client *client)
{
	const struct settings *settings = server->settings;
	char name[NAME_SHOWN];
	char doing[sizeof name + sizeof "run "];

	if (settings->verbosity == STATUS) {
		pid_t pid = getpid();

		log_arrival(server, client, pid);
		log_verdict(server, client, "ok", pid);
		write_log(server);
	}
	dup2(STDIN_FILENO, STDOUT_FILENO);
	sigprocmask(SIG_SETMASK, &server->signals_outside, NULL);
	/* execve's type is older than const; it writes nothing. */
	process_exec(settings->program,
		     (char **)(void *)server->environment.list, server->path);
	snprintf(doing, sizeof doing, "run %s",
		 printable_text(name, sizeof name, settings->program[0]));
	warn_dropping(server, doing);
	_exit(EXIT_TRY_AGAIN);
}

static void run_program(struct server *server, const struct client *client)
{
	pid_t pid = vfork();

	if (pid == 0) become_program(server, client);
	if (pid > 0) {
		server->sessions[server->session_count++] = pid;
		return;
	}
	log_status(server, server->session_count + 1);
	write_log(server);
	warn_dropping(server, "fork");
	log_status(server, server->session_count);
	write_log(server);
	server->out_of_something = true;
}

/* A session that ends before there is a process for it: the server's own pid,
   which no session can have, stands for it in the log. */
static void log_refusal(struct server *server, const struct client *client,
			enum verdict verdict)
{
	pid_t pid = getpid();
	bool denied = verdict == DENY;

	log_arrival(server, client, pid);
	if (denied) {
		log_verdict(server, client, "deny", pid);
	} else {
		write_log(server);
		errno = client->cause;
		warn_dropping(server, client->trouble);
	}
	log_end(server, pid, (denied ? EXIT_NEVER : EXIT_TRY_AGAIN) << 8);
	write_log(server);
}

static void serve_client(struct server *server,
			 const struct sockaddr_storage *remote)
{
	struct client client = { 0 };
	enum verdict verdict;

	describe_client(server, remote, &client);
	verdict = judge_client(server, &client);
	if (verdict == ALLOW) run_program(server, &client);
	else log_refusal(server, &client, verdict);
}

/* The loop. */

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

/* Start-up. */

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

/* The host as getaddrinfo knows it; an IPv4 address in IPv6 clothes without
   them. */
static const char *address_text(const struct settings *settings,
				char text[NET_IP_TEXT])
{
	const char *host = settings->host;
	struct net_ip ip;

	if (strcmp(host, "") == 0 || strcmp(host, "0") == 0) return "0.0.0.0";
	if (strcmp(host, ":0") == 0)
		return settings->only_ipv4 ? "0.0.0.0" : "::";
	return net_ip_parse(host, &ip) == 0 ? net_ip_format(&ip, text) : host;
}

/* The first address, but a version 4 one if there is any: a name has always
   stood for that one here. */
static struct addrinfo *find_address(const struct settings *settings)
{
	const struct addrinfo hints = {
		.ai_family = settings->only_ipv4 ? AF_INET : AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
	};
	struct addrinfo *all, *at;
	char ip[NET_IP_TEXT], port[PORT_TEXT], shown[NAME_SHOWN];
	int error;

	snprintf(port, sizeof port, "%u", settings->port);
	error = getaddrinfo(address_text(settings, ip), port, &hints, &all);
	if (!error) {
		for (at = all; at; at = at->ai_next)
			if (at->ai_family == AF_INET) return at;
		return all;
	}
	if (settings->verbosity == QUIET) exit(EXIT_TRY_AGAIN);
	printable_text(shown, sizeof shown, settings->host);
	if (error == EAI_AGAIN || error == EAI_SYSTEM || error == EAI_MEMORY)
		die_temporary("temporarily unable to figure out IP address for "
			      "%s: %s",
			      shown,
			      error == EAI_SYSTEM ? error_text(errno)
						  : gai_strerror(error));
	die_temporary("no IP address for %s", shown);
}

static void set_scope(const struct settings *settings, struct addrinfo *address)
{
	struct sockaddr_in6 in6;

	if (!settings->interface || address->ai_family != AF_INET6) return;
	memcpy(&in6, address->ai_addr, sizeof in6);
	in6.sin6_scope_id = if_nametoindex(settings->interface);
	if (!in6.sin6_scope_id) fail(settings, "find the interface");
	memcpy(address->ai_addr, &in6, sizeof in6);
}

static bool is_any_address(const struct net_ip *ip)
{
	static const struct net_ip any;

	return memcmp(ip->bytes, any.bytes, sizeof any.bytes) == 0;
}

static void start_listening(struct server *server)
{
	const struct settings *settings = server->settings;
	struct sockaddr_storage local = { 0 };
	socklen_t size = sizeof local;
	const int on = 1, only_ipv6 = strcmp(settings->host, ":0") != 0;
	struct addrinfo *address = find_address(settings);
	int fd;

	set_scope(settings, address);
	fd = socket(address->ai_family,
		    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) fail(settings, "create socket");
	if (address->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_ipv6,
			   sizeof only_ipv6);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	/* Accepted sockets inherit it. */
	if (settings->send_at_once)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (bind(fd, address->ai_addr, address->ai_addrlen) < 0)
		fail(settings, "bind");
	if (getsockname(fd, (struct sockaddr *)&local, &size) < 0)
		fail(settings, "get local address");
	if (listen(fd, (int)settings->backlog) < 0) fail(settings, "listen");
	net_ip_of_socket(&local, &server->local_ip, &server->local_port);
	server->local_ip_varies = is_any_address(&server->local_ip);
	server->listener = fd;
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

static void print_port(const struct server *server)
{
	char text[PORT_TEXT + 1];
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

static struct settings read_options(int argc, char **argv)
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

int main(int argc, char **argv)
{
	struct settings settings;
	struct server server = { .settings = &settings };

	program_name = "tcpserver";
	settings = read_options(argc, argv);
	fill_standard_descriptors();
	catch_signals(&server.signals_outside);
	start_listening(&server);
	drop_privileges(&settings);

	server.clear_ip_options =
		!settings.keep_ip_options && source_routes_are_possible();
	server.path = getenv("PATH");
	server.sessions = calloc(settings.limit + 1, sizeof(pid_t));
	if (!server.sessions) fail(&settings, "remember so many sessions");
	str_append_text(&server.reading_rules, "read ");
	str_append_text(&server.reading_rules,
			settings.rules ? settings.rules : "");
	inherit_environment(&server.environment, &settings);
	str_reserve(&server.log, LOG_ROOM);
	show_name(server.local_host_shown,
		  settings.local_host ? settings.local_host : "");

	if (settings.print_port) print_port(&server);
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	warn_of_missing_look_ups(&settings);
	log_status(&server, 0);
	write_log(&server);
	serve(&server);
}
