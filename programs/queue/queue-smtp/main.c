/* queue-smtp: the end of a chain whose messages go to another mail server while
   the client waits: what that server says is what the client hears, so nothing is
   bounced, and nothing is stored here. Started for every message, as qmail-queue
   is: the message is on descriptor 0, the envelope on descriptor 1, the exit code
   is the answer. All recipients or none: when the server refuses one of several,
   it gets no message, and the client is told to try again (one recipient a
   transaction, smtpd's MAXRCPTCOUNT of 1, ends it).
   SPDX-License-Identifier: ISC */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "base/str.h"
#include "mail/smtp_delivery.h"
#include "mail/stage.h"
#include "security.h"
#include "system/file.h"

enum { SMTP_PORT = 25, SMTPS_PORT = 465, LOGIN_FILE_LIMIT = 2048 };

static const char synopsis[] =
	"queue-smtp [ -x ] [ -a file ] [ -A authority ] [ -c seconds ] "
	"[ -h name ] [ -t seconds ] [ -T none|may|must|verify ] server ...";

static enum tls_policy read_policy(const char *word)
{
	static const char *const words[] = {
		[TLS_NONE] = "none",
		[TLS_MAY] = "may",
		[TLS_MUST] = "must",
		[TLS_VERIFY] = "verify",
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(word, words[i]) == 0) return (enum tls_policy)i;
	die_usage(synopsis);
}

/* Two lines: login and password. */
static void read_login(struct security *security, const char *path)
{
	struct str text = { 0 };
	char *login, *password, *rest;
	struct stat file;

	if (file_read(path, &text, LOGIN_FILE_LIMIT) < 0)
		die_temporary("cannot read %s:", path);
	if (stat(path, &file) == 0 && file.st_mode & S_IROTH)
		warn("everybody can read the password in %s", path);
	str_append(&text, "", 0);
	rest = text.data;
	login = strsep(&rest, "\n");
	password = strsep(&rest, "\n");
	if (!*login || !password || !*password || (rest && *rest))
		die_permanent("%s must have two lines, login and password",
			      path);
	security->login = login;
	security->password = password;
}

static void read_option(struct smtp_delivery *delivery,
			struct security *security, int letter)
{
	unsigned long most = SMTP_DELIVERY_SECONDS_LIMIT;

	switch (letter) {
	case 'a': read_login(security, optarg); break;
	case 'A': security->authority = optarg; break;
	case 'c':
		delivery->connect_seconds =
			option_number(letter, 1, most, synopsis);
		break;
	case 'h': delivery->name = optarg; break;
	case 't':
		delivery->seconds = option_number(letter, 1, most, synopsis);
		break;
	case 'T': security->policy = read_policy(optarg); break;
	case 'x': security->is_immediate = true; break;
	default: break;
	}
}

/* A password, or a client that was promised TLS, does not do without. */
static void settle(struct smtp_delivery *delivery, struct security *security)
{
	bool needs_tls = security->is_immediate || security->login;

	if (needs_tls && security->policy == TLS_NONE) die_usage(synopsis);
	if (needs_tls && security->policy == TLS_MAY)
		security->policy = TLS_MUST;
	if (security->is_immediate) delivery->default_port = SMTPS_PORT;
}

static void read_settings(struct smtp_delivery *delivery,
			  struct security *security, int argc, char **argv)
{
	int letter;

	argv = option_words("QUEUE_SMTP", &argc, argv);
	while ((letter = option_next(argc, argv, "a:A:c:h:t:T:x", synopsis)) !=
	       -1)
		read_option(delivery, security, letter);
	settle(delivery, security);
	delivery->servers = argv + optind;
	if (!smtp_delivery_is_usable(delivery)) die_usage(synopsis);
}

int main(int argc, char **argv)
{
	struct security security = { .policy = TLS_MAY };
	struct smtp_delivery delivery = {
		.default_port = SMTP_PORT,
		.protocol = SMTP_CLIENT_SMTP,
		.open = security_open,
		.settings = &security,
		.seconds = SMTP_DELIVERY_SECONDS,
		.connect_seconds = SMTP_DELIVERY_CONNECT_SECONDS,
	};
	static struct stage stage;
	enum queue_exit_code code;

	program_name = "queue-smtp";
	read_settings(&delivery, &security, argc, argv);
	stage_start();
	code = stage_take(&stage);
	if (code == QUEUE_DONE) code = smtp_delivery_run(&delivery, &stage);
	return (int)code;
}
