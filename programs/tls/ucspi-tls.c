/* ucspi-tls: gives the next program of a chain TLS for the asking (UCSPI-TLS,
   ucspi-tls(2) of others), or begins with it at once (-i).
   The surprise: nothing of TLS is here, and no process stays. tlsd gets the
   connection and the far ends of three descriptors in one message, and the
   program is exec'ed; what happens then is between these two. Only where no
   tlsd runs does a child wait for the request, to become one for this session.

   Takes $TLSD_FD or $TLSD_SOCKET, the connection on descriptors 0 and 1, its
   addresses in TCP* variables. Gives SSLCTLFD, SSLREADFD and SSLWRITEFD, or,
   with -i, the text inside TLS on descriptors 0 and 1. Without tlsd a program
   runs without TLS, unless TLS is a must: then the exit is 111, and also where
   the handshake of -i fails. No setting that is tlsd's reaches the program.
   SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "base/parse.h"
#include "base/str.h"
#include "system/deadline.h"
#include "system/file.h"
#include "system/handover.h"
#include "system/process.h"
#include "system/relay.h"

enum {
	NO_FD = -1,
	PATIENCE = 5, /* seconds, for a tlsd that takes nothing */
	RETRY_MS = 10,
	/* A client's certificate and those of its issuers are in it twice at
	   most; OpenSSL takes no more than 100 KB of them. */
	BLOCK_LIMIT = 512 * 1024,
	BLOCK_CHUNK = 8192,
};

static const char synopsis[] =
	"ucspi-tls [ -eEisz ] [ -B banner ] [ -p policy ] program [ arg ... ]";

/* Which variables say who the client is. */
enum names { NAMES_UNTOUCHED, NAMES_BOTH, NAMES_SSL_ONLY };

struct settings {
	bool immediate;
	bool wants_variables;
	bool compares_host;
	enum names names;
	const char *banner;
	const char *policy; /* $UCSPITLS; NULL: not set */
	char **next;
};

/* What UCSPI-TLS gives to the program; tlsd has the other ends. */
struct tls_fds {
	int control;
	int read;
	int write;
};

/* ---- settings ---- */

static bool is_policy(const char *text)
{
	return !*text || strcmp(text, "!") == 0 || strcmp(text, "-") == 0;
}

static struct settings read_settings(int argc, char **argv)
{
	struct settings settings = { .policy = getenv("UCSPITLS") };
	bool sets_policy = false;
	int letter;

	while ((letter = option_next(argc, argv, "eEiszB:p:", synopsis)) !=
	       -1) {
		switch (letter) {
		case 'e': settings.names = NAMES_BOTH; break;
		case 'E': settings.names = NAMES_SSL_ONLY; break;
		case 'i': settings.immediate = true; break;
		case 's': settings.wants_variables = true; break;
		case 'z': settings.compares_host = true; break;
		case 'B': settings.banner = optarg; break;
		case 'p':
			sets_policy = true;
			settings.policy = optarg;
			break;
		default: break;
		}
	}
	if (!argv[optind]) die_usage(synopsis);
	if (sets_policy && (settings.immediate || !is_policy(settings.policy)))
		die_usage(synopsis);
	if ((settings.banner || settings.compares_host) && !settings.immediate)
		die_usage(synopsis);
	settings.next = argv + optind;
	return settings;
}

static bool tls_is_off(const struct settings *settings)
{
	return !settings->immediate && settings->policy &&
	       strcmp(settings->policy, "-") == 0;
}

static bool tls_is_a_must(const struct settings *settings)
{
	return settings->immediate ||
	       (settings->policy && strcmp(settings->policy, "!") == 0);
}

/* ---- finding tlsd ---- */

/* A tlsd that hangs must not keep the client for ever. */
static void limit_waiting(int fd)
{
	static const struct timeval patience = { .tv_sec = PATIENCE };

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
			 sizeof patience);
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof address.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0) return -1;
	limit_waiting(fd);
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	file_close(fd);
	return -1;
}

/* Many sessions on their way at once are more descriptors than a user may have
   there (ETOOMANYREFS) until tlsd has taken some. */
static int send_patiently(int fd, const struct handover *session)
{
	deadline end = DEADLINE_NEVER;

	while (handover_send(fd, session) < 0) {
		if (errno != ETOOMANYREFS) return -1;
		if (end == DEADLINE_NEVER) end = deadline_in(PATIENCE);
		if (deadline_left(end) == 0) return -1;
		poll(NULL, 0, RETRY_MS);
	}
	return 0;
}

/* Sends, and closes the descriptor either way. */
static int send_and_close(int fd, const struct handover *session)
{
	int result = send_patiently(fd, session), cause = errno;

	close(fd);
	errno = cause == EAGAIN ? ETIMEDOUT : cause;
	return result;
}

/* ---- a tlsd for this session alone ---- */

/* Beside our own file if not along $PATH: a run script's PATH may hold neither
   of us. */
static _Noreturn void become_tlsd(void)
{
	static char name[] = "tlsd", option[] = "-1";
	char *const words[] = { name, option, NULL };
	char path[PATH_MAX + sizeof name];
	ssize_t length;

	process_lift_memory_limits();
	process_exec(words, environ, getenv("PATH"));
	length = readlink("/proc/self/exe", path, PATH_MAX);
	while (length > 0 && path[length - 1] != '/') length--;
	if (length > 0) {
		memcpy(path + length, name, sizeof name);
		execve(path, words, environ);
	}
	die_temporary("unable to run tlsd:");
}

/* `queue` holds the message for tlsd, and `control` is in the message too; so
   when the program ends or declines, we find it here and all is gone with us.
   The byte stays where it is, for tlsd. */
static _Noreturn void wait_for_request(int queue, int control, bool at_once)
{
	struct pollfd watched = { .fd = control, .events = POLLIN };
	char byte;

	if (dup2(queue, STDIN_FILENO) < 0 ||
	    dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		die_temporary("unable to move descriptors:");
	relay_keep_only(&control, 1);
	if (!at_once) {
		while (poll(&watched, 1, -1) < 0 && errno == EINTR) continue;
		if (recv(control, &byte, 1, MSG_PEEK) <= 0) _exit(EXIT_DONE);
	}
	become_tlsd();
}

/* Its parent is not the program, which may wait for children of its own and
   should never see this one. */
static int start_waiting(int queue, int control, bool at_once)
{
	pid_t starter = vfork();
	int status;

	if (starter == 0) {
		pid_t waiting = _Fork(); /* no handlers to run */

		if (waiting == 0) wait_for_request(queue, control, at_once);
		_exit(waiting < 0 ? EXIT_TRY_AGAIN : EXIT_DONE);
	}
	if (starter < 0) return -1;
	while (waitpid(starter, &status, 0) < 0)
		if (errno != EINTR) return -1;
	if (status == EXIT_DONE) return 0;
	errno = EAGAIN;
	return -1;
}

/* That TLS will fail for want of a certificate had better be known before it
   is offered. */
static int find_certificate(void)
{
	const char *path = getenv("CERTCHAINFILE"), *key = getenv("KEYFILE");

	if (!path || !*path) path = getenv("CERTFILE");
	errno = ENOENT;
	if (!path || !*path || access(path, R_OK) < 0) return -1;
	return key && *key ? access(key, R_OK) : 0;
}

static int start_tlsd(const struct handover *session)
{
	int pair[2], result;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	pair[0] = relay_keep_off_standard(pair[0]);
	if (pair[0] < 0 || send_and_close(pair[1], session) < 0) return -1;
	result = start_waiting(pair[0], session->descriptors[HANDOVER_CONTROL],
			       session->flags & HANDOVER_IMMEDIATE);
	close(pair[0]);
	return result;
}

/* 0, or -1 with errno and in `doing` what could not be done. */
static int hand_over(const struct handover *session, const char **doing)
{
	const char *number = getenv("TLSD_FD"), *path = getenv("TLSD_SOCKET");
	int fd;

	*doing = "reach tlsd";
	if (number || path) {
		fd = number ? parse_descriptor(number) : connect_to(path);
		if (fd < 0) return -1;
		if (number) limit_waiting(fd);
		return send_and_close(fd, session);
	}
	*doing = "read the certificate";
	if (find_certificate() < 0) return -1;
	*doing = "start tlsd";
	return start_tlsd(session);
}

/* ---- the descriptors ---- */

static void describe_client(char text[HANDOVER_CLIENT])
{
	const char *ip = getenv("TCPREMOTEIP"), *port = getenv("TCPREMOTEPORT");
	bool is_ipv6 = ip && strchr(ip, ':');

	snprintf(text, HANDOVER_CLIENT, is_ipv6 ? "[%s]:%s" : "%s:%s",
		 ip ? ip : "unknown", port ? port : "0");
}

static struct handover make_descriptors(const struct settings *settings,
					struct tls_fds *program)
{
	struct handover session = {
		.flags = (settings->immediate ? HANDOVER_IMMEDIATE : 0U) |
			 (settings->wants_variables || settings->compares_host
				  ? HANDOVER_ENVIRONMENT
				  : 0U),
		.program = getpid(),
	};
	int *far = session.descriptors, pair[2];

	far[HANDOVER_NETWORK_IN] = STDIN_FILENO;
	far[HANDOVER_NETWORK_OUT] = STDOUT_FILENO;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		die_temporary("unable to create pipe:");
	program->control = relay_keep_off_standard(pair[0]);
	far[HANDOVER_CONTROL] = relay_keep_off_standard(pair[1]);
	if (program->control < 0 || far[HANDOVER_CONTROL] < 0 ||
	    relay_pipe(&program->read, &far[HANDOVER_TO_PROGRAM]) < 0 ||
	    relay_pipe(&far[HANDOVER_FROM_PROGRAM], &program->write) < 0)
		die_temporary("unable to create pipe:");
	describe_client(session.client);
	return session;
}

static void close_far_ends(const struct handover *session)
{
	close(session->descriptors[HANDOVER_CONTROL]);
	close(session->descriptors[HANDOVER_TO_PROGRAM]);
	close(session->descriptors[HANDOVER_FROM_PROGRAM]);
}

/* ---- the environment ---- */

/* The name of a setting ends in '=', or in ':' before the server's name that
   the setting is for. */
static bool is_tlsd_setting(const char *variable)
{
	static const char *const names[] = {
		"TLSD_FD",        "TLSD_SOCKET", "CERTFILE", "KEYFILE",
		"CERTCHAINFILE",  "OCSPFILE",    "CAFILE",   "CADIR",
		"CCAFILE",        "CRLDIR",      "DHFILE",   "CIPHERS",
		"VERIFYDEPTH",    "SSL_UID",     "SSL_GID",  "SSL_CHROOT",
		"TLSD_RELOAD_FD",
	};
	size_t length = strcspn(variable, "=:");

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strncmp(variable, names[i], length) == 0 &&
		    !names[i][length])
			return true;
	return false;
}

/* In one walk, and before anything is set. */
static void forget_tlsd_settings(void)
{
	char **to = environ;

	for (char **from = environ; from && *from; from++)
		if (!is_tlsd_setting(*from)) *to++ = *from;
	if (to) *to = NULL;
}

/* What tcpserver has found out, as sslserver calls it. */
static void name_client(enum names names)
{
	static const char *const found[] = {
		"LOCALIP",    "LOCALPORT",  "LOCALHOST",  "REMOTEIP",
		"REMOTEPORT", "REMOTEHOST", "REMOTEINFO", "INTERFACE",
	};

	if (names == NAMES_UNTOUCHED) return;
	for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
		char tcp[32], tcp6[32], ssl[32];

		snprintf(tcp, sizeof tcp, "TCP%s", found[i]);
		snprintf(tcp6, sizeof tcp6, "TCP6%s", found[i]);
		snprintf(ssl, sizeof ssl, "SSL%s", found[i]);
		process_set(ssl, getenv(tcp));
		if (names == NAMES_BOTH) continue;
		process_set(tcp, NULL);
		process_set(tcp6, NULL);
	}
	if (names == NAMES_SSL_ONLY) process_set("PROTO", "SSL");
}

/* tlsd runs confined because it might be overcome: so it may say something of
   the session, and set nothing else. */
static bool is_session_variable(const char *text)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789_";

	return strncmp(text, "SSL_", 4) == 0 &&
	       text[strspn(text, allowed)] == '=' && !is_tlsd_setting(text);
}

/* ---- TLS at once ---- */

/* Every variable ends in a NUL, and one more NUL ends them all: of none there
   are still two. */
static bool is_complete(const struct str *block)
{
	return block->length >= 2 && block->data[block->length - 1] == '\0' &&
	       block->data[block->length - 2] == '\0';
}

/* False when there was no handshake; tlsd keeps the time, and has logged why. */
static bool read_block(int control, struct str *block)
{
	while (!is_complete(block)) {
		ssize_t n;

		if (block->length > BLOCK_LIMIT)
			die_temporary("tlsd sent too many variables");
		str_reserve(block, BLOCK_CHUNK);
		n = read(control, block->data + block->length, BLOCK_CHUNK);
		if (n < 0 && errno == EINTR) continue;
		if (n <= 0) return false;
		block->length += (size_t)n;
	}
	return true;
}

static void take_variables(struct str *block)
{
	size_t length;

	for (size_t at = 0; at < block->length; at += length + 1) {
		length = strlen(block->data + at);
		if (is_session_variable(block->data + at) &&
		    putenv(block->data + at) != 0)
			die_temporary("unable to set variables:");
	}
}

/* The value in the block; NULL when the variable is not there. */
static const char *variable_in(const struct str *block, const char *name)
{
	size_t length = strlen(name);

	for (size_t at = 0; at < block->length;
	     at += strlen(block->data + at) + 1)
		if (strncmp(block->data + at, name, length) == 0 &&
		    block->data[at + length] == '=')
			return block->data + at + length + 1;
	return NULL;
}

/* A client whose name is known by its address has the certificate for it. */
static void compare_host(const struct str *block)
{
	const char *host = getenv("TCPREMOTEHOST");
	const char *name = variable_in(block, "SSL_CLIENT_S_DN_CN");
	char shown[256];

	if (!host || !*host) return;
	if (name && strcasecmp(name, host) == 0) return;
	die_temporary("the client's certificate is not for %s",
		      printable_text(shown, sizeof shown, host));
}

static void begin_inside(const struct settings *settings,
			 const struct tls_fds *fds)
{
	static struct str block; /* the environment goes on using it */

	if (!read_block(fds->control, &block)) exit(EXIT_TRY_AGAIN);
	close(fds->control);
	if (settings->compares_host) compare_host(&block);
	if (dup2(fds->read, STDIN_FILENO) < 0 ||
	    dup2(fds->write, STDOUT_FILENO) < 0)
		die_temporary("unable to move descriptors:");
	if (settings->wants_variables) take_variables(&block);
	/* As the run scripts of sslserver tell an SMTP server. */
	process_set("SSL", "1");
	process_set("UCSPITLS", NULL);
	if (settings->banner && file_write(STDOUT_FILENO, settings->banner,
					   strlen(settings->banner)) < 0)
		die_temporary("unable to print banner:");
}

/* ---- TLS for the asking ---- */

static void offer(const struct settings *settings, const struct tls_fds *fds)
{
	process_pass_descriptor("SSLCTLFD", fds->control);
	process_pass_descriptor("SSLREADFD", fds->read);
	process_pass_descriptor("SSLWRITEFD", fds->write);
	process_set("UCSPITLS", settings->policy);
}

/* The program's own words would promise what nobody can keep. */
static void withhold(const struct settings *settings)
{
	process_set("SSLCTLFD", NULL);
	process_set("SSLREADFD", NULL);
	process_set("SSLWRITEFD", NULL);
	process_set("UCSPITLS", tls_is_off(settings) ? settings->policy : NULL);
}

static void close_named_by(const char *variable)
{
	int fd = parse_descriptor(getenv(variable));

	if (fd >= 0) close(fd);
}

/* True when tlsd has the session. */
static bool set_up(const struct settings *settings, struct tls_fds *fds)
{
	struct handover session;
	const char *doing;

	if (tls_is_off(settings)) {
		close_named_by("TLSD_FD");
		return false;
	}
	session = make_descriptors(settings, fds);
	if (hand_over(&session, &doing) == 0) {
		close_far_ends(&session);
		return true;
	}
	if (tls_is_a_must(settings)) die_temporary("unable to %s:", doing);
	warn("TLS is not offered, unable to %s:", doing);
	return false;
}

int main(int argc, char **argv)
{
	struct settings settings;
	struct tls_fds fds;
	bool has_tls;

	program_name = "ucspi-tls";
	settings = read_settings(argc, argv);
	has_tls = set_up(&settings, &fds);
	close_named_by("TLSD_RELOAD_FD"); /* sslserver's */
	forget_tlsd_settings();
	if (!has_tls) withhold(&settings);
	else if (settings.immediate) begin_inside(&settings, &fds);
	else offer(&settings, &fds);
	name_client(settings.names);
	process_run_next(settings.next);
}
