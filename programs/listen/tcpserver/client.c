/* SPDX-License-Identifier: ISC */
#include "client.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "log.h"
#include "system/process.h"

enum verdict { ALLOW, DENY, DROP };

struct judgement {
	enum verdict verdict;
	const char *trouble; /* DROP: what could not be done, */
	int cause;           /* and errno */
};

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
	client->local_port = server->local_port;
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

static bool rules_are_open(struct server *server)
{
	const char *path = server->settings->rules;

	if (!table_is_outdated(&server->rules, path)) return true;
	table_close(&server->rules);
	return table_open_copy(&server->rules, path) == 0;
}

static struct judgement drop(const char *trouble)
{
	return (struct judgement){ DROP, trouble, errno };
}

/* A file that cannot be read drops the client: it might have denied. */
static struct judgement apply_rules(struct server *server,
				    const struct client *client)
{
	const struct rules_client asked = { .ip = client->remote_ip };
	const struct settings *settings = server->settings;
	static const struct judgement allow = { .verdict = ALLOW };
	static const struct judgement deny = { .verdict = DENY };
	struct rules_match *match = &server->match;

	match->data_length = 0;
	if (!settings->rules) return allow;
	if (!rules_are_open(server))
		return errno == ENOENT && settings->allow_without_rules
			       ? allow
			       : drop(server->reading_rules.data);
	if (rules_find(&server->rules, &asked, match) == TABLE_FAILED)
		return drop(server->reading_rules.data);
	return rules_deny(match->data, match->data_length) ? deny : allow;
}

/* What comes before the program runs, in the order of ucspi-tcp: a client that
   is denied has seen the banner. */
static struct judgement judge_client(struct server *server,
				     const struct client *client)
{
	const struct settings *settings = server->settings;
	struct judgement judgement;

	if (server->clear_ip_options && client->family == NET_IPV4)
		(void)setsockopt(STDIN_FILENO, IPPROTO_IP, IP_OPTIONS, NULL, 0);
	if (settings->banner && send_banner(settings->banner) < 0)
		return drop("print banner");
	judgement = apply_rules(server, client);
	if (judgement.verdict == ALLOW &&
	    build_environment(&server->environment, settings, client,
			      server->match.data,
			      server->match.data_length) < 0)
		return drop("set the rule's variables");
	return judgement;
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
	sigprocmask(SIG_SETMASK, &server->signals_outside, NULL);
	/* Without a descriptor 1, its first file would be taken for one.
	   execve's type is older than const; it writes nothing. */
	if (dup2(STDIN_FILENO, STDOUT_FILENO) >= 0)
		process_exec(settings->program,
			     (char **)(void *)server->environment.list,
			     server->path);
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
			const struct judgement *judgement)
{
	pid_t pid = getpid();
	bool denied = judgement->verdict == DENY;

	log_arrival(server, client, pid);
	if (denied) {
		log_verdict(server, client, "deny", pid);
	} else {
		write_log(server);
		errno = judgement->cause;
		warn_dropping(server, judgement->trouble);
	}
	log_end(server, pid, (denied ? EXIT_NEVER : EXIT_TRY_AGAIN) << 8);
	write_log(server);
}

void serve_client(struct server *server, const struct sockaddr_storage *remote)
{
	struct client client = { 0 };
	struct judgement judgement;

	describe_client(server, remote, &client);
	judgement = judge_client(server, &client);
	if (judgement.verdict == ALLOW) run_program(server, &client);
	else log_refusal(server, &client, &judgement);
}
