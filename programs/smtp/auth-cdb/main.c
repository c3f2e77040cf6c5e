/* auth-cdb: a checkpassword program over auth.cdb, the table of logins and
   password hashes that mkauth makes. Who the client says to be comes on
   descriptor 3; if it is so, the next program is run, with the login's settings
   in its environment.
   The surprise: nothing is said about why a login was refused, unless with -p,
   and a stranger costs as much time as a wrong password. Delays against guessing
   are the caller's, and so is the log.

   Takes, on descriptor 3 and to its end, at most 512 bytes:

	LOGIN NUL PASSWORD NUL CHALLENGE NUL

   where PASSWORD may be CRAM-MD5's answer to CHALLENGE (RFC 2195), which is
   otherwise nothing, or a timestamp that is not looked at. With -s instead, a
   conversation on descriptor 3, a socket: the client's first SCRAM message, ours,
   the client's last, ours when it proved itself (RFC 5802, 7677), each as it is
   before base64 and with a NUL behind it.
   Gives SMTP_AUTH_USER=LOGIN and the settings to the program; with -p, and then
   there is no program, it writes them to descriptor 1, each with a NUL behind it,
   or else why the login is refused, and a NUL.
   With -m it asks nobody's login, but makes an entry for the table.
   Exit: the program's; 0 with -p and -m; 1 refused; 2 misuse; 111 cannot say.
   No password is ever in an argument, a variable or a message.
   SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/str.h"
#include "check.h"
#include "make_entry.h"
#include "system/file.h"
#include "system/process.h"

enum { EXIT_REFUSED = 1, SHOWN = 256 };

/* As they have always stood in smtpd's log. */
static const char *const reasons[] = {
	[UNKNOWN_LOGIN] = "unknown user",
	[BAD_PASSWORD] = "bad password",
	[EXPIRED] = "password expired",
	[MALFORMED] = "malformed answer",
};

struct settings {
	const char *kind; /* of the entry to make; NULL: none */
	const char *cost;
	bool prints;
	bool is_scram;
	char **next; /* NULL with -p and -m */
};

static struct settings read_settings(int argc, char **argv)
{
	struct settings settings = { 0 };
	int letter;

	opterr = 0;
	while ((letter = getopt(argc, argv, "+c:m:ps")) != -1) {
		switch (letter) {
		case 'c': settings.cost = optarg; break;
		case 'm': settings.kind = optarg; break;
		case 'p': settings.prints = true; break;
		case 's': settings.is_scram = true; break;
		default: die_misused("illegal option");
		}
	}
	if (settings.kind && (settings.prints || settings.is_scram))
		die_misused("with -m there is no login");
	if (settings.cost && !settings.kind)
		die_misused("only what is made has a cost");
	if ((settings.prints || settings.kind) == (optind < argc))
		die_misused(optind < argc ? "there is no program to run here"
					  : "no program to run");
	if (optind < argc) settings.next = argv + optind;
	return settings;
}

static _Noreturn void refuse(const struct settings *settings,
			     enum verdict verdict)
{
	const char *reason = reasons[verdict];

	if (settings->prints &&
	    file_write(STDOUT_FILENO, reason, strlen(reason) + 1) < 0)
		die_temporary("unable to write output:");
	exit(EXIT_REFUSED);
}

/* Each NAME=VALUE with a NUL behind it. */
static void list_settings(struct auth_entry *entry, const char *login,
			  struct str *list)
{
	struct auth_setting setting;
	char shown[SHOWN];

	while (auth_entry_next_setting(entry, &setting)) {
		size_t before = list->length;

		if (auth_setting_is_expiry(&setting)) continue;
		str_append(list, setting.name, setting.name_length);
		if (auth_setting_is_unsafe(&setting)) {
			warn("auth.cdb may not set %s for %s",
			     list->data + before,
			     printable_text(shown, sizeof shown, login));
			list->length = before;
			continue;
		}
		str_append_byte(list, '=');
		str_append(list, setting.value, setting.value_length);
		str_append_byte(list, '\0');
	}
	str_append_text(list, "SMTP_AUTH_USER=");
	str_append_text(list, login);
	str_append_byte(list, '\0');
}

static void set_variables(struct str *list)
{
	for (size_t at = 0, length; at < list->length; at += length + 1) {
		char *variable = list->data + at;
		size_t name = strcspn(variable, "=");

		length = strlen(variable);
		variable[name] = '\0';
		process_set(variable, variable + name + 1);
		variable[name] = '=';
	}
}

static void accept_login(const struct settings *settings,
			 struct auth_entry *entry, const char *login)
{
	struct str list = { 0 };

	list_settings(entry, login, &list);
	close(REQUEST_FD);
	if (settings->prints) {
		if (file_write(STDOUT_FILENO, list.data, list.length) < 0)
			die_temporary("unable to write output:");
		return;
	}
	set_variables(&list);
	process_run_next(settings->next);
}

/* The login that the verdict is about, in memory that stays. */
static enum verdict hear(const struct settings *settings, struct logins *logins,
			 struct auth_entry *entry, const char **login)
{
	static struct request request;
	static struct scram scram;
	enum verdict verdict = MALFORMED;

	if (settings->is_scram) {
		logins_open(logins);
		verdict = check_by_scram(logins, &scram, entry);
		*login = scram.login.data;
		if (verdict == ACCEPTED) request_send_message(&scram.answer);
		return verdict;
	}
	if (request_read(&request)) {
		logins_open(logins);
		verdict = check_request(logins, &request, entry);
	}
	*login = request.login;
	request_wipe(&request);
	return verdict;
}

int main(int argc, char **argv)
{
	static struct logins logins;
	static struct auth_entry entry;
	struct settings settings;
	enum verdict verdict;
	const char *login;

	program_name = "auth-cdb";
	(void)prctl(PR_SET_DUMPABLE, 0); /* no core, and nobody may look on */
	settings = read_settings(argc, argv);
	if (settings.kind) {
		make_entry(settings.kind, settings.cost);
		return EXIT_DONE;
	}
	verdict = hear(&settings, &logins, &entry, &login);
	if (verdict != ACCEPTED) refuse(&settings, verdict);
	accept_login(&settings, &entry, login);
	return EXIT_DONE;
}
