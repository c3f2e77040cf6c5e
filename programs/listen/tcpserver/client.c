/* SPDX-License-Identifier: ISC */
#include "client.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/parse.h"
#include "log.h"
#include "server.h"
#include "system/process.h"
#include "system/proxy.h"

enum outcome { NEXT_STEP, WAIT, LEAVE };

static const struct refusal no_refusal;

void describe_client(const struct server *server, struct client *client,
		     const struct sockaddr_storage *remote)
{
	const struct listener *listener =
		&server->listeners.list[client->listener];
	struct net_ip local_ip = listener->ip;
	struct sockaddr_storage local = { 0 };
	socklen_t size = sizeof local;
	unsigned port;

	if (listener->ip_varies) {
		/* It cannot fail; if it did, the address were "unknown". */
		(void)getsockname(client->fd, (struct sockaddr *)&local, &size);
		net_ip_of_socket(&local, &local_ip, &port);
	}
	net_ip_format(&local_ip, client->local_ip);
	client->local_port = listener->port;
	net_ip_of_socket(remote, &client->ip, &client->remote_port);
	net_ip_format(&client->ip, client->remote_ip);
	if (client->ip.family == NET_IPV6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, remote, sizeof in6);
		client->scope = in6.sin6_scope_id;
	}
	client->came = deadline_in(0);
}

/* Ends that have no process. The server's own pid, which no session can have,
   stands for one in the log. */

void drop_client(struct server *server, const struct client *client,
		 const char *doing)
{
	int cause = errno;
	pid_t pid = getpid();

	log_arrival(server, client, pid);
	write_log(server);
	errno = cause;
	warn_dropping(server, doing);
	log_end(server, pid, EXIT_TRY_AGAIN << 8);
	write_log(server);
}

/* A connection that is closed before all of its input has been read is reset,
   and then the text may be lost on its way. */
static void discard_input(int fd)
{
	enum { MOST = 1 << 20, ROUNDS = 4 };

	for (int i = 0; i < ROUNDS; i++)
		if (recv(fd, NULL, MOST, MSG_DONTWAIT | MSG_TRUNC) <= 0) return;
}

static int send_farewell(const struct client *client, const char *text)
{
	static const char end[] = "\r\n";
	const int how = MSG_DONTWAIT | MSG_NOSIGNAL;

	if (send(client->fd, text, strlen(text), how | MSG_MORE) < 0 ||
	    send(client->fd, end, strlen(end), how) < 0)
		return -1;
	discard_input(client->fd);
	return 0;
}

static void refuse_client(struct server *server, const struct client *client,
			  const struct refusal *refusal)
{
	pid_t pid = getpid();

	log_arrival(server, client, pid);
	log_verdict(server, client, "deny", pid, refusal);
	if (refusal->text && *refusal->text &&
	    send_farewell(client, refusal->text) < 0) {
		write_log(server);
		warn_dropping(server, "print diemsg");
	}
	log_end(server, pid, EXIT_NEVER << 8);
	write_log(server);
}

/* The rules. */

static bool rules_are_open(struct server *server)
{
	const char *path = server->settings->rules;

	if (!table_is_outdated(&server->rules, path)) return true;
	table_close(&server->rules);
	return table_open_copy(&server->rules, path) == 0;
}

/* The rule for what is known of the client, in server->match. A file that
   cannot be read is remembered: it might have denied. */
static void find_rule(struct server *server, struct client *client)
{
	const struct rules_client asked = {
		.ip = client->remote_ip,
		.host = client->remote_host,
		.info = client->remote_info,
	};
	const struct settings *settings = server->settings;

	client->has_rule = true;
	client->unread_rules = 0;
	server->match.data_length = 0;
	if (!settings->rules) return;
	if (!rules_are_open(server)) {
		if (errno != ENOENT || !settings->allow_without_rules)
			client->unread_rules = errno;
	} else if (rules_find(&server->rules, &asked, &server->match) ==
		   TABLE_FAILED) {
		client->unread_rules = errno;
	}
}

static bool rule_denies(const struct server *server)
{
	return rules_deny(server->match.data, server->match.data_length);
}

/* PROXY="1" in a rule that allows. */
static bool rule_trusts(const struct server *server)
{
	static const char name[] = "+PROXY=";
	const struct rules_match *match = &server->match;
	const char *item;
	bool trusts = false;
	size_t at = 0;

	while ((item = rules_next_item(match->data, match->data_length, &at)))
		if (strncmp(item, name, strlen(name)) == 0)
			trusts = parse_flag(item + strlen(name));
	return trusts && !rule_denies(server);
}

/* The program. */

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
		log_verdict(server, client, "ok", pid, &no_refusal);
		write_log(server);
	}
	sigprocmask(SIG_SETMASK, &server->program_signals, NULL);
	/* Without a descriptor 1, its first file would be taken for one.
	   execve's type is older than const; it writes nothing. */
	if ((client->fd == STDIN_FILENO ||
	     dup2(client->fd, STDIN_FILENO) >= 0) &&
	    dup2(STDIN_FILENO, STDOUT_FILENO) >= 0)
		process_exec(settings->program,
			     (char **)(void *)server->environment.list,
			     server->path);
	snprintf(doing, sizeof doing, "run %s",
		 printable_text(name, sizeof name, settings->program[0]));
	warn_dropping(server, doing);
	_exit(EXIT_TRY_AGAIN);
}

static void begin_session(struct server *server, const struct client *client,
			  pid_t pid)
{
	const struct session session = {
		.pid = pid,
		.ip = client->ip,
		.port = client->remote_port,
		.listener = client->listener,
		.came = client->came,
	};

	sessions_begin(&server->sessions, &session);
	limits_session_begins(&server->limits, &client->ip);
}

static void run_program(struct server *server, const struct client *client)
{
	pid_t pid;

	if (sessions_make_room(&server->sessions) < 0) {
		drop_client(server, client, "remember the session");
		server->out_of_something = true;
		return;
	}
	pid = vfork();
	if (pid == 0) become_program(server, client);
	if (pid > 0) {
		begin_session(server, client, pid);
		return;
	}
	log_status(server, clients_present(server) + 1);
	write_log(server);
	warn_dropping(server, "fork");
	log_status(server, clients_present(server));
	write_log(server);
	server->out_of_something = true;
}

/* The steps. */

static enum outcome check_trust(struct server *server, struct client *client)
{
	if (server->settings->rules) find_rule(server, client);
	if (!client->has_rule || client->unread_rules || !rule_trusts(server))
		client->step = READ_PROXY; /* which it passes over */
	return NEXT_STEP;
}

/* Who he really is; a balancer that speaks for itself stays who it is. */
static void take_proxy_addresses(struct client *client,
				 const struct proxy_header *header)
{
	if (header->kind != PROXY_FOR_CLIENT) return;
	client->ip = header->source;
	client->scope = 0;
	client->remote_port = header->source_port;
	client->local_port = header->destination_port;
	net_ip_format(&header->source, client->remote_ip);
	net_ip_format(&header->destination, client->local_ip);
	client->has_rule = false;
}

static enum outcome read_proxy(struct server *server, struct client *client)
{
	struct proxy_header header;
	char doing[sizeof "read a PROXY header from  port 4294967295" +
		   NET_IP_TEXT];

	switch (proxy_read(client->fd, &header)) {
	case PROXY_READ:
		take_proxy_addresses(client, &header);
		return NEXT_STEP;
	case PROXY_INCOMPLETE:
		if (!client->late) return WAIT;
		errno = ETIMEDOUT;
		break;
	case PROXY_FAILED: break;
	}
	snprintf(doing, sizeof doing, "read a PROXY header from %s port %u",
		 client->remote_ip, client->remote_port);
	drop_client(server, client, doing);
	return LEAVE;
}

static int send_banner(const struct client *client, const char *banner)
{
	ssize_t sent = send(client->fd, banner, strlen(banner),
			    MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < 0) return -1;
	if ((size_t)sent == strlen(banner)) return 0;
	errno = ENOBUFS;
	return -1;
}

/* As with ucspi-tcp, a client that is then denied has seen the banner. */
static enum outcome greet(struct server *server, struct client *client)
{
	const char *banner = server->settings->banner;

	if (server->clear_ip_options && client->ip.family == NET_IPV4)
		(void)setsockopt(client->fd, IPPROTO_IP, IP_OPTIONS, NULL, 0);
	if (!banner || send_banner(client, banner) == 0) return NEXT_STEP;
	drop_client(server, client, "print banner");
	return LEAVE;
}

static enum outcome look_up(struct server *server, struct client *client)
{
	return look_up_names(server, client) ? NEXT_STEP : WAIT;
}

static enum outcome decide(struct server *server, struct client *client)
{
	const struct rules_match *match = &server->match;
	struct refusal refusal;
	bool denied;

	if (!client->has_rule) find_rule(server, client);
	if (client->unread_rules) {
		errno = client->unread_rules;
		drop_client(server, client, server->reading_rules.data);
		return LEAVE;
	}
	/* An arrival must not count against itself. */
	if (client->counted) limits_session_ends(&server->limits, &client->ip);
	client->counted = false;
	denied = rule_denies(server);
	refusal = limits_judge(&server->limits, &client->ip, match->data,
			       match->data_length, denied);
	if (denied || refusal.name) refuse_client(server, client, &refusal);
	else if (build_environment(&server->environment, server->settings,
				   client, match->data, match->data_length) < 0)
		drop_client(server, client, "set the rule's variables");
	else run_program(server, client);
	return LEAVE;
}

static const struct {
	const char *name;
	enum outcome (*take)(struct server *, struct client *);
} steps[STEPS] = {
	[CHECK_TRUST] = { "trust", check_trust },
	[READ_PROXY] = { "proxy", read_proxy },
	[GREET] = { "greeting", greet },
	[LOOK_UP] = { "names", look_up },
	[DECIDE] = { "decision", decide },
};

const char *step_name(enum step step)
{
	return steps[step].name;
}

enum whereabouts serve_client(struct server *server, struct client *client)
{
	for (;;) {
		enum outcome outcome = steps[client->step].take(server, client);

		if (outcome == WAIT) return WAITS;
		if (outcome == LEAVE) return LEFT;
		client->step++;
		client->late = false;
	}
}
