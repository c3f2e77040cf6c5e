/* sslserver: tcpserver whose programs find TLS begun, or, with -n, for the
   asking (UCSPI-TLS).
   The surprise: it serves nobody. It starts a tlsd, which reads the key as
   whoever we are now, and becomes "tcpserver … ucspi-tls -i program" under its
   own name. On SIGHUP tcpserver execs us anew, so that tlsd gets its share.

   Takes tcpserver's options, and those of the two families of ucspi-ssl; the
   files, ciphers and ids of tlsd from the environment. Exit codes: 100 wrong
   use, 111 no certificate or no port, 0 after SIGTERM.
   SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "base/parse.h"
#include "base/str.h"
#include "system/handover.h"
#include "system/process.h"
#include "system/relay.h"

enum {
	PASSWORD_FD = 3,
	NUMBER_TEXT = sizeof "-2147483648",
};

static const char synopsis[] =
	"sslserver [ -1346UXpPhHrRoOdDqQvVeEsSnNaAimzZ ] [ -c limit ] "
	"[ -x rules.cdb ] [ -B banner ] [ -g gid ] [ -u uid ] [ -b backlog ] "
	"[ -l localname ] [ -t timeout ] [ -T timeout ] [ -w timeout ] "
	"[ -f fd ] [ -I interface ] host port program";

/* tcpserver's, and behind them our own. */
static const char letters[] = "46I:1UXpPhHrRoOdDqQvc:x:g:u:b:l:t:f:"
			      "B:eEsSnNaAimzZ3VT:w:";
static const char own_letters[] = "BeEsSnNaAimzZ3VTw";

/* A command line in the making. */
struct words {
	char **list;
	size_t count;
};

enum names { NAMES_BOTH, NAMES_SSL_ONLY };
enum verbosity { QUIET, ERRORS, STATUS };

struct settings {
	enum verbosity verbosity;
	enum names names;
	bool delayed;
	bool wants_variables;
	bool requires_certificate;
	bool compares_host;
	bool has_password;
	bool says_more;
	char *banner;
	char *handshake_seconds;
	char *idle_seconds;
	unsigned long user;
	unsigned long group;
	struct words tcpserver; /* its options */
	char **rest;            /* host, port, program */
};

/* ---- command lines ---- */

static void add_word(struct words *words, char *word)
{
	words->list[words->count++] = word;
}

/* The letter as an option, and its argument when it has one. */
static void add_option(struct words *words, int letter, char *argument)
{
	static char options[UCHAR_MAX + 1][3];
	char *option = options[(unsigned char)letter];

	option[0] = '-';
	option[1] = (char)letter;
	add_word(words, option);
	if (argument) add_word(words, argument);
}

/* Room for all the words of our own command line, and ours. */
static void make_room(struct words *words, int argc)
{
	enum { OURS = 32 };

	words->list = calloc(2 * (size_t)argc + OURS, sizeof *words->list);
	if (!words->list) die_temporary("out of memory");
}

/* ---- settings ---- */

static void check_number(int letter, unsigned long minimum)
{
	(void)option_number(letter, minimum, INT_MAX, synopsis);
}

static void take_own_option(struct settings *settings, int letter)
{
	switch (letter) {
	case 'B': settings->banner = *optarg ? optarg : NULL; break;
	case 'e': settings->names = NAMES_BOTH; break;
	case 'E': settings->names = NAMES_SSL_ONLY; break;
	case 's': settings->wants_variables = true; break;
	case 'S': settings->wants_variables = false; break;
	case 'n': settings->delayed = true; break;
	case 'N': settings->delayed = false; break;
	case 'i':
	case 'm':
	case 'z':
		settings->requires_certificate = true;
		settings->compares_host = letter == 'z';
		break;
	case 'Z':
		settings->requires_certificate = false;
		settings->compares_host = false;
		break;
	case '3': settings->has_password = true; break;
	case 'V': settings->says_more = true; break;
	case 'T':
		check_number(letter, 1);
		settings->handshake_seconds = optarg;
		break;
	case 'w':
		check_number(letter, 1);
		settings->idle_seconds = optarg;
		break;
	default: break; /* a, A: files are always read before the ids change */
	}
}

/* What tcpserver's options mean to us, too. */
static void note_option(struct settings *settings, int letter)
{
	switch (letter) {
	case 'q': settings->verbosity = QUIET; break;
	case 'Q': settings->verbosity = ERRORS; break;
	case 'v': settings->verbosity = STATUS; break;
	case 'U':
		parse_leading_number(getenv("UID"), &settings->user);
		parse_leading_number(getenv("GID"), &settings->group);
		break;
	case 'u':
		settings->user =
			option_number(letter, 0, UINT_MAX - 1, synopsis);
		break;
	case 'g':
		settings->group =
			option_number(letter, 0, UINT_MAX - 1, synopsis);
		break;
	default: break;
	}
}

static struct settings read_settings(int argc, char **argv)
{
	struct settings settings = { .verbosity = ERRORS };
	int letter;

	make_room(&settings.tcpserver, argc);
	while ((letter = option_next(argc, argv, letters, synopsis)) != -1) {
		if (strchr(own_letters, letter)) {
			take_own_option(&settings, letter);
			continue;
		}
		note_option(&settings, letter);
		add_option(&settings.tcpserver, letter,
			   strchr(letters, letter)[1] == ':' ? optarg : NULL);
	}
	if (argc - optind < 3) die_usage(synopsis);
	/* Before TLS there is no certificate that could be looked at, and
	   after STARTTLS nobody of ours is there to do it. */
	if (settings.delayed && settings.compares_host) die_usage(synopsis);
	settings.rest = argv + optind;
	return settings;
}

/* ---- finding the others ---- */

/* How we were found ourselves. */
static const char *own_path(void)
{
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel's is a number */
	return (const char *)getauxval(AT_EXECFN);
}

/* Beside us first: another family's tcpserver may stand before ours in $PATH.
   Not the name alone, so that no client costs a search. */
static char *find_program(const char *name)
{
	const char *path = own_path(), *slash = strrchr(path, '/');
	struct str found = { 0 };

	if (slash) {
		str_append(&found, path, (size_t)(slash + 1 - path));
		str_append_text(&found, name);
		if (access(found.data, X_OK) == 0) return found.data;
	}
	path = getenv("PATH");
	if (!path) path = "/bin:/usr/bin";
	for (;; path++) {
		size_t length = strcspn(path, ":");

		str_clear(&found);
		str_append(&found, length ? path : ".", length ? length : 1);
		str_append_byte(&found, '/');
		str_append_text(&found, name);
		if (access(found.data, X_OK) == 0) return found.data;
		path += length;
		if (!*path) break;
	}
	errno = ENOENT;
	die_temporary("unable to run %s:", name);
}

/* ---- tlsd ---- */

/* Who reads the network is not root when the programs are not. */
static void confine(const char *name, unsigned long id)
{
	const char *set = getenv(name);
	char text[sizeof "18446744073709551615"];

	if (id == 0 || geteuid() != 0 || (set && *set)) return;
	snprintf(text, sizeof text, "%lu", id);
	process_set(name, text);
}

static void build_tlsd(const struct settings *settings, struct words *words,
		       char *ready)
{
	static char name[] = "sslserver";

	add_word(words, name);
	/* Its own default is a line for each session. */
	if (settings->says_more) add_option(words, 'v', NULL);
	else if (settings->verbosity != STATUS) add_option(words, 'q', NULL);
	if (settings->requires_certificate) add_option(words, 'i', NULL);
	if (settings->has_password) add_option(words, '3', NULL);
	if (settings->handshake_seconds)
		add_option(words, 'T', settings->handshake_seconds);
	if (settings->idle_seconds)
		add_option(words, 'w', settings->idle_seconds);
	add_option(words, 'f', ready);
}

static void drop_log(void)
{
	int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (nothing < 0 || dup2(nothing, STDERR_FILENO) < 0)
		die_temporary("unable to open /dev/null:");
}

/* Of ours it has the log, its socket as descriptor 0, the end of the pipe that
   says it is ready, and the password. */
static _Noreturn void become_tlsd(const struct settings *settings,
				  const char *path, int queue, int ready)
{
	int kept[] = { ready, PASSWORD_FD };
	struct words words = { 0 };
	char number[NUMBER_TEXT];

	if (dup2(queue, STDIN_FILENO) < 0 ||
	    dup2(STDERR_FILENO, STDOUT_FILENO) < 0 ||
	    fcntl(ready, F_SETFD, 0) < 0)
		die_temporary("unable to move descriptors:");
	if (settings->verbosity == QUIET) drop_log();
	relay_keep_only(kept, settings->has_password ? 2 : 1);
	confine("SSL_UID", settings->user);
	confine("SSL_GID", settings->group);
	snprintf(number, sizeof number, "%d", ready);
	process_lift_memory_limits();
	make_room(&words, 0);
	build_tlsd(settings, &words, number);
	execve(path, words.list, environ);
	die_temporary("unable to run %s:", path);
}

/* A pipe, both ends in one descriptor, that makes a SIGHUP to tlsd of each byte
   written to it. By then we are no longer those who may send it one, but the
   kernel looks at who asked for this. -1 when it cannot be had. */
static int make_reload_pipe(pid_t tlsd)
{
	char path[sizeof "/proc/self/fd/" + NUMBER_TEXT];
	int read_end, write_end, both = -1;

	if (relay_pipe(&read_end, &write_end) < 0) return -1;
	snprintf(path, sizeof path, "/proc/self/fd/%d", read_end);
	both = open(path, O_RDWR | O_NONBLOCK);
	close(read_end);
	close(write_end);
	if (both >= 0 && fcntl(both, F_SETOWN, tlsd) == 0 &&
	    fcntl(both, F_SETSIG, SIGHUP) == 0 &&
	    fcntl(both, F_SETFL, O_RDWR | O_NONBLOCK | O_ASYNC) == 0)
		return both;
	if (both >= 0) close(both);
	return -1;
}

/* What was written before is taken out first, or the pipe would be full some
   day. That must not be a signal of its own. */
static void reload_tlsd(const char *number)
{
	int fd = parse_descriptor(number);
	char byte = 0;

	if (fd >= 0) {
		fcntl(fd, F_SETFL, O_NONBLOCK);
		while (read(fd, &byte, 1) > 0) continue;
		fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC);
		if (write(fd, &byte, 1) == 1) return;
	}
	warn("unable to have the certificates reloaded:");
}

/* It says why it cannot start in a line of its own. */
static void wait_until_ready(int ready, pid_t tlsd)
{
	ssize_t n;
	char byte;
	int status;

	do n = read(ready, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1) return;
	while (waitpid(tlsd, &status, 0) < 0)
		if (errno != EINTR) die_temporary("unable to wait for tlsd:");
	if (WIFSIGNALED(status))
		die_temporary("tlsd ended by signal %d", WTERMSIG(status));
	exit(EXIT_TRY_AGAIN);
}

/* What the programs and our successors have of it. */
struct tlsd {
	pid_t pid;
	int queue; /* ucspi-tls sends sessions into it */
};

static struct tlsd start_tlsd(const struct settings *settings)
{
	char *path = find_program("tlsd");
	int pair[2], ready, telling;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 ||
	    (pair[0] = relay_keep_off_standard(pair[0])) < 0 ||
	    (pair[1] = relay_keep_off_standard(pair[1])) < 0 ||
	    relay_pipe(&ready, &telling) < 0)
		die_temporary("unable to create pipe:");
	child = fork();
	if (child < 0) die_temporary("unable to fork:");
	if (child == 0) become_tlsd(settings, path, pair[1], telling);
	close(pair[1]);
	close(telling);
	if (settings->has_password) close(PASSWORD_FD);
	wait_until_ready(ready, child);
	close(ready);
	return (struct tlsd){ child, pair[0] };
}

/* ---- tcpserver ---- */

/* Its own words and then those of the stage before the program. */
static void build_tcpserver(const struct settings *settings,
			    struct words *words)
{
	static char name[] = "sslserver", end[] = "--";

	add_word(words, name);
	for (size_t i = 0; i < settings->tcpserver.count; i++)
		add_word(words, settings->tcpserver.list[i]);
	if (settings->delayed && settings->banner)
		add_option(words, 'B', settings->banner);
	add_word(words, end); /* a host may be "-" */
	add_word(words, settings->rest[0]);
	add_word(words, settings->rest[1]);
	add_word(words, find_program("ucspi-tls"));
	add_option(words, settings->names == NAMES_BOTH ? 'e' : 'E', NULL);
	if (settings->wants_variables) add_option(words, 's', NULL);
	if (settings->compares_host) add_option(words, 'z', NULL);
	if (!settings->delayed) {
		add_option(words, 'i', NULL);
		if (settings->banner) add_option(words, 'B', settings->banner);
	}
	add_word(words, end);
	for (char **word = settings->rest + 2; *word; word++)
		add_word(words, *word);
}

/* The successor of a tcpserver that gets a SIGHUP is us. */
static const char successor[] = "TCPSERVER_SUCCESSOR";
static const char restarting[] = "TCPSERVER_RESTART";

static void prepare_environment(const struct tlsd *tlsd)
{
	int reload = make_reload_pipe(tlsd->pid);
	char number[NUMBER_TEXT];

	process_pass_descriptor("TLSD_FD", tlsd->queue);
	process_set("TLSD_SOCKET", NULL);
	if (reload < 0) warn("SIGHUP will not have the certificates reloaded:");
	else process_pass_descriptor("TLSD_RELOAD_FD", reload);
	process_set(successor, own_path());
	snprintf(number, sizeof number, "%d", (int)tlsd->pid);
	process_set("TCPSERVER_PARTNER", number);
}

static _Noreturn void become_tcpserver(char **words)
{
	char *path = find_program("tcpserver");

	execve(path, words, environ);
	die_temporary("unable to run %s:", path);
}

int main(int argc, char **argv)
{
	struct words words = { 0 };
	struct settings settings;
	struct tlsd tlsd;

	program_name = "sslserver";
	if (getenv(successor) && getenv(restarting)) {
		/* These are tcpserver's words already. */
		reload_tlsd(getenv("TLSD_RELOAD_FD"));
		become_tcpserver(argv);
	}
	settings = read_settings(argc, argv);
	make_room(&words, argc);
	build_tcpserver(&settings, &words);
	tlsd = start_tlsd(&settings);
	prepare_environment(&tlsd);
	become_tcpserver(words.list);
}
