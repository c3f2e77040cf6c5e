/* SPDX-License-Identifier: ISC */
#include "log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"
#include "base/parse.h"
#include "base/str.h"
#include "mail/control.h"

enum { NAME_ROOM = 256, TEXT_ROOM = 1024 };

/* qmail-ldap's. Without LOGLEVEL everything is said that other families say, and
   nothing else. */
enum level {
	LOG_USUAL = -1,
	LOG_FATAL = 1,
	LOG_ACCOUNTS,
	LOG_ERRORS,
	LOG_ALL,
};

static long threshold = LOG_USUAL;

static void name_process(void)
{
	static char name[32];
	int cause = errno;

	snprintf(name, sizeof name, "qmail-smtpd[%ld]", (long)getpid());
	program_name = name;
	errno = cause;
}

/* The process is named only when there is something to say: most sessions are
   silent. */
static bool is_said(enum level level)
{
	if (threshold != LOG_USUAL && threshold < (long)level) return false;
	name_process();
	return true;
}

/* A line that LOGLEVEL asks for. */
static bool is_asked_for(enum level level)
{
	return threshold != LOG_USUAL && is_said(level);
}

void log_open(const char *setting)
{
	unsigned long level = 0;

	if (!setting) return;
	parse_leading_number(setting, &level);
	threshold = level < LOG_ALL ? (long)level : LOG_ALL;
}

void log_relaying_nothing(void)
{
	if (!is_said(LOG_ERRORS)) return;
	note("no control/rcpthosts: refusing mail for every domain");
}

void log_relaying_everything(void)
{
	if (!is_said(LOG_ERRORS)) return;
	note("no control/rcpthosts: relaying for everybody "
	     "(SMTPD_OPEN_RELAY is set)");
}

void log_unreadable_control(const char *name)
{
	char folder[NAME_ROOM];

	if (!is_said(LOG_FATAL)) return;
	if (errno == 0) errno = ENOENT;
	note("unable to read %s/%s:",
	     printable_text(folder, sizeof folder, control_folder()), name);
}

void log_unreadable(const char *path)
{
	char shown[NAME_ROOM];

	if (!is_said(LOG_FATAL)) return;
	note("unable to read %s:", printable_text(shown, sizeof shown, path));
}

void log_no_home(void)
{
	if (!is_said(LOG_FATAL)) return;
	note("unable to change to %s:", CHAINMAIL_HOME);
}

void log_no_memory(void)
{
	if (!is_said(LOG_FATAL)) return;
	note("out of memory");
}

void log_no_greetdelay(void)
{
	if (!is_said(LOG_FATAL)) return;
	note("unable to run greetdelay:");
}

void log_no_ucspi_tls(void)
{
	if (!is_said(LOG_FATAL)) return;
	note("unable to run ucspi-tls:");
}

void log_unreadable_certificate(const char *path)
{
	char name[NAME_ROOM];

	if (!is_said(LOG_FATAL)) return;
	note("unable to read certificate %s:",
	     printable_text(name, sizeof name, path));
}

void log_required_tls_missing(void)
{
	if (!is_said(LOG_FATAL)) return;
	note("TLS is required and cannot be had");
}

void log_no_own_addresses(void)
{
	if (!is_said(LOG_FATAL)) return;
	note("unable to list this machine's addresses:");
}

void log_unreadable_auth_table(const char *path)
{
	char shown[NAME_ROOM];

	if (!is_said(LOG_FATAL)) return;
	note("unable to read AUTH_CDB %s:",
	     printable_text(shown, sizeof shown, path));
}

void log_auth_misused(void)
{
	if (!is_said(LOG_FATAL)) return;
	note("for AUTH, the arguments are: hostname checkpassword program "
	     "[ argument ... ]");
}

static enum level level_of(const char *event)
{
	return strcmp(event, "AUTH successful") == 0 ? LOG_ACCOUNTS
						     : LOG_ERRORS;
}

static const char *client_ip(const struct session *session, char *room)
{
	const char *ip = session->client.remote_ip;

	return printable_text(room, NAME_ROOM, ip ? ip : "unknown");
}

void log_event(const struct session *session, const char *kind,
	       const char *text)
{
	char ip[NAME_ROOM], shown[TEXT_ROOM];

	if (!is_said(level_of(kind))) return;
	client_ip(session, ip);
	if (!text) note("%s [%s]", kind, ip);
	else
		note("%s [%s] %s", kind, ip,
		     printable_text(shown, sizeof shown, text));
}

void log_address(const char *kind, const char *address)
{
	char shown[TEXT_ROOM];

	if (!is_said(LOG_ACCOUNTS)) return;
	note("%s:<%s>", kind, printable_text(shown, sizeof shown, address));
}

void log_listed(const struct session *session, const char *list,
		const char *text, const char *line)
{
	char ip[NAME_ROOM], shown[TEXT_ROOM], pattern[NAME_ROOM];

	if (!is_said(LOG_ERRORS)) return;
	note("%s: <%s> at %s%s%s", list,
	     printable_text(shown, sizeof shown, text), client_ip(session, ip),
	     line ? " matches pattern: " : "",
	     line ? printable_text(pattern, sizeof pattern, line) : "");
}

void log_bad_pattern(const char *list, const char *line)
{
	char shown[NAME_ROOM];

	if (!is_said(LOG_FATAL)) return;
	note("no regular expression in control/%s: %s", list,
	     printable_text(shown, sizeof shown, line));
}

void log_recipient_program(const char *text)
{
	char shown[TEXT_ROOM];

	if (!is_said(LOG_ERRORS)) return;
	note("RCPTCHECK error: %s", printable_text(shown, sizeof shown, text));
}

void log_plugin_failure(const char *line, const char *why)
{
	char shown[TEXT_ROOM];

	if (!is_said(LOG_FATAL)) return;
	note("qmail-spp failure: %s: %s",
	     printable_text(shown, sizeof shown, line), why);
}

void log_spf(const char *field)
{
	char shown[MESSAGE_LIMIT];

	if (!is_said(LOG_ERRORS)) return;
	note("%s", printable_text(shown, sizeof shown, field));
}

void log_helper_failure(const char *program, const struct helper_answer *answer)
{
	char shown[NAME_ROOM];

	if (!is_said(LOG_FATAL)) return;
	printable_text(shown, sizeof shown, program);
	if (!answer) {
		note("unable to run %s:", shown);
		return;
	}
	switch (answer->ending) {
	case HELPER_EXITED:
		note("%s: exit %d, and no answer", shown, answer->exit_code);
		break;
	case HELPER_CRASHED: note("%s: crashed", shown); break;
	case HELPER_TIMED_OUT: note("%s: killed, too late", shown); break;
	case HELPER_LOST: note("%s: lost:", shown); break;
	}
}

void log_tls_failed(const struct session *session, const char *what)
{
	char ip[NAME_ROOM];

	if (!is_said(LOG_ERRORS)) return;
	note("TLS failed [%s]: %s", client_ip(session, ip), what);
}

void log_no_queue_program(void)
{
	if (!is_said(LOG_FATAL)) return;
	note("unable to start a queue program:");
}

void log_queue_failure(const struct session *session,
		       const struct queue_result *result)
{
	const struct queue_client *queue = &session->queue;
	char program[NAME_ROOM];

	if (!is_said(LOG_FATAL)) return;
	printable_text(program, sizeof program, queue->settings->program);
	if (queue->exec_error) {
		errno = queue->exec_error;
		note("unable to run queue program %s:", program);
	} else if (result->exit_code >= 0) {
		note("queue program %s (pid %ld) exit %d: %s", program,
		     (long)queue->pid, result->exit_code, result->text);
	} else {
		note("queue program %s (pid %ld) did not exit: %s", program,
		     (long)queue->pid, result->text);
	}
}

void log_discarded(const struct session *session)
{
	if (!is_said(LOG_ACCOUNTS)) return;
	note("discarded: qp %ld", (long)session->queue.pid);
}

/* ---- what LOGLEVEL asks for ---- */

void log_connection(const struct session *session)
{
	const struct connection *client = &session->client;
	const char *host = client->remote_host, *local = client->local_host;
	char ip[NAME_ROOM], name[NAME_ROOM], info[NAME_ROOM], to[NAME_ROOM];

	if (!is_asked_for(LOG_ACCOUNTS)) return;
	if (!local) local = client->local_ip;
	note("connection from %s (%s%s%s) to %s", client_ip(session, ip),
	     printable_text(name, sizeof name, host ? host : "unknown"),
	     client->remote_info ? ", " : "",
	     client->remote_info
		     ? printable_text(info, sizeof info, client->remote_info)
		     : "",
	     printable_text(to, sizeof to, local ? local : "unknown"));
}

static void log_pair(enum level level, const char *kind, const char *text)
{
	char shown[TEXT_ROOM];

	if (!is_asked_for(level)) return;
	note("%s: %s", kind, printable_text(shown, sizeof shown, text));
}

void log_sender(const struct session *session)
{
	log_pair(LOG_ACCOUNTS, "mail from", session->address.data);
}

void log_recipient(const struct session *session)
{
	log_pair(LOG_ACCOUNTS, "rcpt to", session->address.data);
}

void log_queued(const struct session *session, unsigned long when, size_t size)
{
	if (!is_asked_for(LOG_ACCOUNTS)) return;
	note("message queued: %lu qp %ld size %zu bytes", when,
	     (long)session->queue.pid, size);
}

void log_refusal(const char *text)
{
	log_pair(LOG_ERRORS, "refused", text);
}

void log_end(const char *cause)
{
	log_pair(LOG_FATAL, "closing connection", cause);
}

void log_command(const char *verb, const char *argument)
{
	char shown[TEXT_ROOM];

	if (!is_asked_for(LOG_ALL)) return;
	note("command: %s %s", verb,
	     printable_text(shown, sizeof shown, argument));
}
