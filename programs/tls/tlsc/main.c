/* tlsc: TLS for a client program that speaks plain text: it stands between
   tcpclient and that program, or is run by one that has a connection.
   The surprise: the program is not run by the process that speaks TLS but by the
   one that tcpclient became, so its process id is still that of the connection;
   and it does not run at all before the server has shown who it is.
   Takes a connection on descriptors 6 and 7 (or on one, -c), speaks TLS 1.2 and
   1.3 (RFC 5246, RFC 8446), and gives the plain text on 6 and 7 to the program (or
   on one descriptor, -d; or on 0 and 1). Exit codes: 0 when both ways have ended;
   100 wrong use; 111 no TLS to be had.
   SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "base/str.h"
#include "connection.h"
#include "copy.h"
#include "settings.h"
#include "system/file.h"
#include "system/process.h"
#include "system/relay.h"

enum { READ_FD = 6, WRITE_FD = 7, REPORT_ROOM = 512 };

/* What is reported: this and the protocol and the cipher, or the reason alone. */
static const char success[] = "ok ";

/* ---- the process that speaks TLS ---- */

/* To whoever waits for it. Nobody waits for more than the pipe takes. */
static void report(const struct settings *settings, const char *front,
		   const char *text)
{
	char line[REPORT_ROOM];
	int length = snprintf(line, sizeof line - 1, "%s%s", front, text);

	if (length < 0) return;
	if (length > (int)sizeof line - 2) length = (int)sizeof line - 2;
	line[length++] = '\n';
	(void)!write(settings->report, line, (size_t)length);
	close(settings->report);
}

static _Noreturn void give_up(const struct settings *settings,
			      const char *reason)
{
	char shown[256];

	if (settings->report >= 0) {
		report(settings, "", reason);
		exit(EXIT_TRY_AGAIN);
	}
	die_temporary(
		"unable to start TLS with %s: %s",
		printable_text(shown, sizeof shown,
			       settings->name ? settings->name : "the server"),
		reason);
}

/* What else the chain has open is the program's; whoever waits for its end must
   not wait for us. */
static void keep_only_ours(const struct settings *settings)
{
	int kept[] = { settings->network_in, settings->network_out,
		       settings->plain_in, settings->plain_out,
		       settings->report };
	size_t count = 0;

	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		if (kept[i] > STDERR_FILENO) kept[count++] = kept[i];
	relay_keep_only(kept, count);
}

static _Noreturn void speak_tls(const struct settings *settings)
{
	struct str summary = { 0 };
	const char *trouble;
	SSL *ssl;

	keep_only_ours(settings);
	signal(SIGPIPE, SIG_IGN);
	ssl = connection_start(settings, &trouble);
	if (!ssl) give_up(settings, trouble);
	connection_describe(ssl, &summary);
	if (settings->report >= 0) report(settings, success, summary.data);
	else if (settings->is_verbose) note("%s", summary.data);
	copy_both_ways(ssl, settings);
	exit(EXIT_DONE);
}

/* ---- the program ---- */

static void must(int result)
{
	if (result < 0) die_temporary("unable to set up descriptors:");
}

/* Its standard input and output are the program's, to be ended by it. */
static _Noreturn void serve_program(struct settings *settings, int plain,
				    int result)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	must(nothing);
	must(dup2(nothing, STDIN_FILENO));
	must(dup2(nothing, STDOUT_FILENO));
	settings->plain_in = settings->plain_out = plain;
	settings->report = result;
	speak_tls(settings);
}

/* "ok TLSv1.3 TLS_AES_256_GCM_SHA384" */
static void tell_program(char *report_line)
{
	char *protocol = report_line + sizeof success - 1;
	char *cipher = strchr(protocol, ' ');

	if (cipher) *cipher++ = '\0';
	process_set("SSL_PROTOCOL", protocol);
	process_set("SSL_CIPHER", cipher);
}

/* Up to the end, which comes with the handshake or without it. */
static void wait_for_report(const struct settings *settings, int result)
{
	struct str line = { 0 };

	if (file_read_rest(result, &line, REPORT_ROOM) < 0)
		die_temporary("unable to read the handshake's result:");
	if (line.length > 0) line.data[line.length - 1] = '\0';
	if (line.length <= sizeof success ||
	    strncmp(line.data, success, sizeof success - 1) != 0) {
		struct settings quiet = *settings;

		quiet.report = -1;
		give_up(&quiet,
			line.length > 0 ? line.data : "it ended by itself");
	}
	if (settings->is_verbose) note("%s", line.data + sizeof success - 1);
	tell_program(line.data);
	close(result);
	str_free(&line);
}

/* Inherited, unlike the descriptor it is made from; which may be itself. */
static void give_as(int fd, int wanted)
{
	must(fd == wanted ? fcntl(fd, F_SETFD, 0) : dup2(fd, wanted));
}

static _Noreturn void run_program(struct settings *settings)
{
	int plain[2], result[2];
	pid_t child;

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, plain));
	must(pipe2(result, O_CLOEXEC));
	plain[0] = relay_keep_off_standard(plain[0]);
	plain[1] = relay_keep_off_standard(plain[1]);
	result[0] = relay_keep_off_standard(result[0]);
	result[1] = relay_keep_off_standard(result[1]);
	child = fork();
	if (child < 0) die_temporary("unable to fork:");
	if (child == 0) serve_program(settings, plain[1], result[1]);
	close(result[1]);
	close(plain[1]);
	wait_for_report(settings, result[0]);
	close(settings->network_in);
	close(settings->network_out);
	give_as(plain[0], READ_FD);
	give_as(plain[0], WRITE_FD);
	process_run_next(settings->program);
}

int main(int argc, char **argv)
{
	struct settings settings;

	program_name = "tlsc";
	settings = read_settings(argc, argv);
	if (*settings.program) run_program(&settings);
	speak_tls(&settings);
}
