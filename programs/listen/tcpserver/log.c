/* SPDX-License-Identifier: ISC */
#include "log.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"

enum { LOG_ROOM = 1024 }; /* more than a session's lines need */

/* Into SHOWN_BYTES and what ends them. */
static void show_name(char *shown, const char *name)
{
	size_t i;

	for (i = 0; i < SHOWN_BYTES && name[i]; i++) {
		bool plain = name[i] > 32 && name[i] < 127 && name[i] != '%' &&
			     name[i] != ':';

		shown[i] = plain ? name[i] : '?';
	}
	memcpy(shown + i, i < SHOWN_BYTES ? "" : "...",
	       i < SHOWN_BYTES ? sizeof "" : sizeof "...");
}

void prepare_log(struct server *server)
{
	const char *name = server->settings->local_host;

	if (name) show_name(server->local_host_shown, name);
	str_reserve(&server->log, LOG_ROOM);
}

static void begin_line(struct server *server, const char *event)
{
	str_append_text(&server->log, program_name);
	str_append_text(&server->log, ": ");
	str_append_text(&server->log, event);
}

void log_status(struct server *server, size_t sessions)
{
	begin_line(server, "status: ");
	str_append_number(&server->log, sessions);
	str_append_text(&server->log, "/");
	str_append_number(&server->log, server->settings->limit);
	str_append_text(&server->log, "\n");
}

static void log_pid(struct server *server, const char *event, pid_t pid)
{
	begin_line(server, event);
	str_append_byte(&server->log, ' ');
	str_append_number(&server->log, (unsigned long)pid);
}

void log_arrival(struct server *server, const struct client *client, pid_t pid)
{
	log_status(server, clients_present(server) + 1);
	log_pid(server, "pid", pid);
	str_append_text(&server->log, " from ");
	str_append_text(&server->log, client->remote_ip);
	str_append_text(&server->log, "\n");
}

/* What the look-up has found. */
static void append_shown(struct server *server, const char *name)
{
	char shown[SHOWN_BYTES + sizeof "..."];

	if (!name) return;
	show_name(shown, name);
	str_append_text(&server->log, shown);
}

/* LOCALHOST:LOCALIP:LOCALPORT REMOTEHOST:REMOTEIP:REMOTEINFO:REMOTEPORT */
void log_verdict(struct server *server, const struct client *client,
		 const char *verdict, pid_t pid, const struct refusal *refusal)
{
	log_pid(server, verdict, pid);
	str_append_byte(&server->log, ' ');
	if (server->settings->local_host)
		str_append_text(&server->log, server->local_host_shown);
	else append_shown(server, client->local_host);
	str_append_byte(&server->log, ':');
	str_append_text(&server->log, client->local_ip);
	str_append_byte(&server->log, ':');
	str_append_number(&server->log, client->local_port);
	str_append_byte(&server->log, ' ');
	append_shown(server, client->remote_host);
	str_append_byte(&server->log, ':');
	str_append_text(&server->log, client->remote_ip);
	str_append_byte(&server->log, ':');
	append_shown(server, client->remote_info);
	str_append_byte(&server->log, ':');
	str_append_number(&server->log, client->remote_port);
	if (refusal->name) {
		str_append_byte(&server->log, ' ');
		str_append_text(&server->log, refusal->name);
		str_append_byte(&server->log, ':');
		str_append_number(&server->log, refusal->number);
	}
	str_append_text(&server->log, "\n");
}

void log_end(struct server *server, pid_t pid, int status)
{
	log_pid(server, "end", pid);
	str_append_text(&server->log, " status ");
	str_append_number(&server->log, (unsigned long)status);
	str_append_text(&server->log, "\n");
	log_status(server, clients_present(server));
}

static void append_end(struct str *line, const char *word, const char *ip,
		       unsigned port)
{
	str_append_text(line, word);
	str_append_text(line, ip);
	str_append_text(line, " port ");
	str_append_number(line, port);
}

/* client PID from IP port N at IP port N for N seconds */
static void log_client(struct server *server, pid_t pid, const char *ip,
		       unsigned port, size_t listener, deadline came)
{
	const struct listener *at = &server->listeners.list[listener];
	struct str *line = &server->log;
	char text[NET_IP_TEXT];

	if (pid) log_pid(server, "client", pid);
	else begin_line(server, "client -");
	append_end(line, " from ", ip, port);
	append_end(line, " at ", net_ip_format(&at->ip, text), at->port);
	str_append_text(line, " for ");
	str_append_number(line, (unsigned long)(deadline_in(0) - came) / 1000);
	str_append_text(line, " seconds");
}

static void send_log(struct server *server)
{
	ssize_t written =
		write(STDERR_FILENO, server->log.data, server->log.length);

	(void)written; /* a lost log must not stop the service */
	str_clear(&server->log);
}

/* Many lines at once, but no more than a pipe takes in one piece: other
   processes write there too. */
static void end_table_line(struct server *server)
{
	str_append_byte(&server->log, '\n');
	if (server->log.length < PIPE_BUF - LOG_ROOM) return;
	send_log(server);
}

void log_table(struct server *server)
{
	const struct session *session;
	char ip[NET_IP_TEXT];
	size_t at = 0;

	if (server->settings->verbosity == QUIET) return;
	while ((session = sessions_next(&server->sessions, &at))) {
		log_client(server, session->pid,
			   net_ip_format(&session->ip, ip), session->port,
			   session->listener, session->came);
		end_table_line(server);
	}
	for (size_t step = 0; step < STEPS; step++) {
		const struct client *client = server->arrivals.at[step].first;

		for (; client; client = client->next) {
			log_client(server, 0, client->remote_ip,
				   client->remote_port, client->listener,
				   client->came);
			str_append_text(&server->log, ", waiting for its ");
			str_append_text(&server->log, step_name(client->step));
			end_table_line(server);
		}
	}
	begin_line(server, "clients: ");
	str_append_number(&server->log, clients_present(server));
	str_append_text(&server->log, " of ");
	str_append_number(&server->log, server->settings->limit);
	str_append_byte(&server->log, '\n');
	send_log(server);
}

void write_log(struct server *server)
{
	if (server->settings->verbosity == STATUS) send_log(server);
	else str_clear(&server->log);
}

void warn_dropping(const struct server *server, const char *doing)
{
	if (server->settings->verbosity == QUIET) return;
	warn("dropping connection, unable to %s:", doing);
}
