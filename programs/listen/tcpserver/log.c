/* SPDX-License-Identifier: ISC */
#include "log.h"

#include <string.h>
#include <unistd.h>

#include "base/message.h"

enum { LOG_ROOM = 1024 }; /* more than a session's lines need */

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

void log_status(struct server *server, size_t sessions)
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

void log_arrival(struct server *server, const struct client *client, pid_t pid)
{
	log_status(server, server->session_count + 1);
	log_pid(server, "pid", pid);
	str_append_text(&server->log, " from ");
	str_append_text(&server->log, client->remote_ip);
	str_append_text(&server->log, "\n");
}

/* LOCALHOST:LOCALIP:LOCALPORT REMOTEHOST:REMOTEIP:REMOTEINFO:REMOTEPORT */
void log_verdict(struct server *server, const struct client *client,
		 const char *verdict, pid_t pid)
{
	log_pid(server, verdict, pid);
	str_append_byte(&server->log, ' ');
	str_append_text(&server->log, server->local_host_shown);
	str_append_byte(&server->log, ':');
	str_append_text(&server->log, client->local_ip);
	str_append_byte(&server->log, ':');
	str_append_number(&server->log, client->local_port);
	str_append_text(&server->log, " :");
	str_append_text(&server->log, client->remote_ip);
	str_append_text(&server->log, "::");
	str_append_number(&server->log, client->remote_port);
	str_append_text(&server->log, "\n");
}

void log_end(struct server *server, pid_t pid, int status)
{
	log_pid(server, "end", pid);
	str_append_text(&server->log, " status ");
	str_append_number(&server->log, (unsigned long)status);
	str_append_text(&server->log, "\n");
	log_status(server, server->session_count);
}

void write_log(struct server *server)
{
	ssize_t written = 0;

	if (server->settings->verbosity == STATUS)
		written = write(STDERR_FILENO, server->log.data,
				server->log.length);
	(void)written; /* a lost log must not stop the service */
	str_clear(&server->log);
}

void warn_dropping(const struct server *server, const char *doing)
{
	if (server->settings->verbosity == QUIET) return;
	warn("dropping connection, unable to %s:", doing);
}
