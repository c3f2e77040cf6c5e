/* smtpd: the SMTP server: takes mail from the client on descriptors 0 and 1, as
   qmail-smtpd does, and gives each message to a queue program ($QMAILQUEUE).
   It decides who may send to whom and knows nothing of users, queues or disks.
   With GREETDELAY or DROP_PRE_GREET in the environment it first execs
   greetdelay, which execs it again; with TLS_SERVER_CERT, ucspi-tls. Exit 0
   after QUIT, 1 after any other end.
   RFC 5321; 1870 (SIZE), 2034 (ENHANCEDSTATUSCODES), 2920 (PIPELINING), 3030
   (CHUNKING), 3207 (STARTTLS), 4954 (AUTH), 6152 (8BITMIME), 6531 (SMTPUTF8),
   9422 (LIMITS).
   SPDX-License-Identifier: ISC */

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "auth.h"
#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "base/parse.h"
#include "base/str.h"
#include "log.h"
#include "plugins.h"
#include "pull_in.h"
#include "recipient_table.h"
#include "replies.h"
#include "session.h"
#include "tls.h"
#include "verbs.h"

enum {
	/* close_range(2)'s flag, which not every libc names. */
	CLOSE_AT_EXEC = 1 << 2,
};

static const char synopsis[] =
	"smtpd [ hostname checkpassword program [ argument ... ] ]";

/* Says that greetdelay has run for this process, should it have left its
   variables: without it the two would exec each other for ever. */
static const char greeted[] = "SMTPD_GREETED_PID";

/* Static, since out of memory is told to the client from within lib/base. */
static struct session session;

static void say_out_of_memory(void)
{
	log_no_memory();
	session_give_up(&session, REPLY_NO_MEMORY);
}

static void do_nothing(int number)
{
	(void)number;
}

/* A handler, not SIG_IGN: the queue program's exec takes it back, and one that
   was ignored before us stays so. */
static void survive(int number)
{
	struct sigaction action = { .sa_flags = SA_RESTART }, found;

	action.sa_handler = do_nothing;
	if (sigaction(number, &action, &found) == 0 &&
	    found.sa_handler == SIG_IGN)
		sigaction(number, &found, NULL);
}

/* True once, in the process that greetdelay has just exec'ed. */
static bool greetdelay_has_run(void)
{
	const char *mark = getenv(greeted);
	unsigned long pid = 0;

	if (!mark) return false;
	parse_leading_number(mark, &pid);
	unsetenv(greeted);
	return pid == (unsigned long)getpid();
}

/* Another family's name for what greetdelay reads. */
static void take_alias(const char *name, const char *alias)
{
	const char *value = getenv(alias);

	if (!value) return;
	(void)setenv(name, value, 0);
	unsetenv(alias);
}

static void delay_greeting(int argc, char **argv)
{
	char pid[sizeof(long) * 3];

	if (greetdelay_has_run()) return;
	take_alias("GREETDELAY", "SMTPD_GREETDELAY");
	if (!parse_flag(getenv("GREETDELAY")) &&
	    !parse_flag(getenv("DROP_PRE_GREET")))
		return;
	snprintf(pid, sizeof pid, "%ld", (long)getpid());
	if (setenv(greeted, pid, 1) == 0)
		pull_in("greetdelay", NULL, argc, argv);
	log_no_greetdelay();
	session_give_up(&session, REPLY_NO_GREETDELAY);
}

/* The queue program gets its five descriptors and none of the chain's: one of a
   TLS session must not live on in what a filter leaves behind. */
static void keep_descriptors_to_ourselves(void)
{
	/* A kernel before 5.11 cannot; all else works there. */
	(void)syscall(SYS_close_range, STDERR_FILENO + 1, UINT_MAX,
		      CLOSE_AT_EXEC);
}

/* The home is where control/ and bin/qmail-queue are; with $CONTROLDIR and
   $QMAILQUEUE one can do without it. */
static void read_settings(void)
{
	const char *what;

	if (chdir(CHAINMAIL_HOME) < 0 && !getenv("CONTROLDIR")) {
		log_no_home();
		session_give_up(&session, REPLY_NO_CONTROLS);
	}
	if (settings_read(&session.settings, session.client.relay_suffix,
			  &what) < 0) {
		log_unreadable_control(what);
		session_give_up(&session, REPLY_NO_CONTROLS);
	}
	session.in.seconds = session.out.seconds = session.settings.timeout;
	if (session.settings.relaying == RELAY_NOTHING) log_relaying_nothing();
	if (session.settings.relaying == RELAY_EVERYTHING)
		log_relaying_everything();
}

int main(int argc, char **argv)
{
	program_name = "qmail-smtpd";
	str_memory_exit = EXIT_NO_QUIT;
	str_memory_farewell = say_out_of_memory;
	while (option_next(argc, argv, "", synopsis) != -1) continue;
	survive(SIGPIPE);
	survive(SIGXFSZ);
	/* Ignored, it would take the queue program's exit code away. */
	signal(SIGCHLD, SIG_DFL);
	log_open(getenv("LOGLEVEL"));
	session_open(&session);
	delay_greeting(argc, argv);
	tls_prepare(&session, argc, argv);
	keep_descriptors_to_ourselves();
	read_settings();
	recipient_table_open(&session);
	auth_prepare(&session, argc, argv);
	log_connection(&session);
	plugins_open(&session);
	greet(&session);
	for (;;)
		if (session_read_line(&session) == SMTP_LINE_WHOLE)
			run_command(&session, session.line.text);
}
