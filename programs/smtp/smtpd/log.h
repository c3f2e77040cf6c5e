/* The lines of the log: "qmail-smtpd[PID]: text", one write each. A session
   that goes well is silent.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_LOG_H
#define SMTPD_LOG_H

#include "mail/queue_client.h"
#include "session.h"
#include "system/helper.h"

/* What LOGLEVEL says, or NULL, decides from here on. */
void log_open(const char *setting);

/* No rcpthosts, and what follows from it; said at each start. */
void log_relaying_nothing(void);
void log_relaying_everything(void);

/* errno is the cause; 0: it is not there. */
void log_unreadable_control(const char *name);
void log_unreadable(const char *path);
void log_no_home(void);
void log_no_memory(void);
void log_no_greetdelay(void);
void log_no_ucspi_tls(void);
void log_unreadable_certificate(const char *path);
void log_required_tls_missing(void);
void log_no_own_addresses(void);
void log_unreadable_auth_table(const char *path);
void log_auth_misused(void);

/* "KIND [IP] text", of the client; without text, "KIND [IP]". The text is from
   outside, and so is the address of "KIND:<address>". */
void log_event(const struct session *, const char *kind, const char *text);
void log_address(const char *kind, const char *address);

/* "LIST: <text> at IP", and with a line of the list " matches pattern: LINE". */
void log_listed(const struct session *, const char *list, const char *text,
		const char *line);
/* The line of the control file is no regular expression. */
void log_bad_pattern(const char *list, const char *line);

/* What the program of RCPTCHECK has to say. */
void log_recipient_program(const char *text);

/* A line of control/smtpplugins that has failed. */
void log_plugin_failure(const char *line, const char *why);

/* The field Received-SPF, or its beginning. */
void log_spf(const char *field);

/* A helper that has given no answer; NULL: it cannot be run, and errno says
   why. */
void log_helper_failure(const char *program, const struct helper_answer *);

void log_tls_failed(const struct session *, const char *what);
void log_no_queue_program(void);
void log_queue_failure(const struct session *, const struct queue_result *);
void log_discarded(const struct session *);

/* These are said only where LOGLEVEL asks for them. */
void log_connection(const struct session *);
void log_sender(const struct session *);
void log_recipient(const struct session *);
void log_queued(const struct session *, unsigned long when, size_t size);
void log_refusal(const char *text);
void log_end(const char *cause);
void log_command(const char *verb, const char *argument);

#endif
