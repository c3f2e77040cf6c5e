/* SPDX-License-Identifier: ISC */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/message.h"
#include "base/str.h"
#include "mail/control.h"

enum { NAME_ROOM = 256, TEXT_ROOM = 1024 };

/* Said only when there is something to say: most sessions are silent. */
static void name_process(void)
{
	static char name[32];
	int cause = errno;

	snprintf(name, sizeof name, "qmail-smtpd[%ld]", (long)getpid());
	program_name = name;
	errno = cause;
}

void log_relaying_nothing(void)
{
	name_process();
	note("no control/rcpthosts: refusing mail for every domain");
}

void log_relaying_everything(void)
{
	name_process();
	note("no control/rcpthosts: relaying for everybody "
	     "(SMTPD_OPEN_RELAY is set)");
}

void log_unreadable_control(const char *name)
{
	char folder[NAME_ROOM];

	name_process();
	if (errno == 0) errno = ENOENT;
	note("unable to read %s/%s:",
	     printable_text(folder, sizeof folder, control_folder()), name);
}

void log_unreadable(const char *path)
{
	char shown[NAME_ROOM];

	name_process();
	note("unable to read %s:", printable_text(shown, sizeof shown, path));
}

void log_no_home(void)
{
	name_process();
	note("unable to change to %s:", CHAINMAIL_HOME);
}

void log_no_greetdelay(void)
{
	name_process();
	note("unable to run greetdelay:");
}

void log_no_ucspi_tls(void)
{
	name_process();
	note("unable to run ucspi-tls:");
}

void log_unreadable_certificate(const char *path)
{
	char name[NAME_ROOM];

	name_process();
	note("unable to read certificate %s:",
	     printable_text(name, sizeof name, path));
}

void log_required_tls_missing(void)
{
	name_process();
	note("TLS is required and cannot be had");
}

void log_no_own_addresses(void)
{
	name_process();
	note("unable to list this machine's addresses:");
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

	name_process();
	client_ip(session, ip);
	if (!text) note("%s [%s]", kind, ip);
	else
		note("%s [%s] %s", kind, ip,
		     printable_text(shown, sizeof shown, text));
}

void log_address(const char *kind, const char *address)
{
	char shown[TEXT_ROOM];

	name_process();
	note("%s:<%s>", kind, printable_text(shown, sizeof shown, address));
}

void log_listed(const struct session *session, const char *list,
		const char *text, const char *line)
{
	char ip[NAME_ROOM], shown[TEXT_ROOM], pattern[NAME_ROOM];

	name_process();
	note("%s: <%s> at %s%s%s", list,
	     printable_text(shown, sizeof shown, text), client_ip(session, ip),
	     line ? " matches pattern: " : "",
	     line ? printable_text(pattern, sizeof pattern, line) : "");
}

void log_bad_pattern(const char *list, const char *line)
{
	char shown[NAME_ROOM];

	name_process();
	note("no regular expression in control/%s: %s", list,
	     printable_text(shown, sizeof shown, line));
}

void log_recipient_program(const char *text)
{
	char shown[TEXT_ROOM];

	name_process();
	note("RCPTCHECK error: %s", printable_text(shown, sizeof shown, text));
}

void log_line(const char *format, ...)
{
	char line[MESSAGE_LIMIT];
	va_list arguments;

	name_process();
	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	note("%s", line);
}

void log_helper_failure(const char *program, const struct helper_answer *answer)
{
	char shown[NAME_ROOM];

	name_process();
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

	name_process();
	note("TLS failed [%s]: %s", client_ip(session, ip), what);
}

void log_no_queue_program(void)
{
	name_process();
	note("unable to start a queue program:");
}

void log_queue_failure(const struct session *session,
		       const struct queue_result *result)
{
	const struct queue_client *queue = &session->queue;
	char program[NAME_ROOM];

	name_process();
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
	name_process();
	note("discarded: qp %ld", (long)session->queue.pid);
}
