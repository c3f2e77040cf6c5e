/* tcp-env: what tcpserver does for its programs, under inetd, systemd or any
   other server that hands over a connection: says who is at its two ends in
   the environment (TCPREMOTEIP and the others), then execs the program.

   Where a UCSPI server has done that already (PROTO=TCP) it does nothing at
   all. inetd and systemd give the connection as descriptor 2 as well; as our
   programs log there, to a client that wants to hear none of it, the system's
   log takes its place.

   Exit 111 when descriptor 0 is no TCP connection, as qmail's tcp-env.

   SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/message.h"
#include "base/options.h"
#include "base/parse.h"
#include "mail/ends.h"
#include "system/dns.h"
#include "system/process.h"

enum {
	INFO_SECONDS = 30,  /* qmail's */
	FIRST_GIVEN_FD = 3, /* sd_listen_fds(3) */
};

static const char synopsis[] =
	"tcp-env [ -hHrR ] [ -l localname ] [ -t timeout ] program [ arg ... ]";

struct settings {
	struct ends_wanted wanted;
	char **program;
};

static struct settings read_options(int argc, char **argv)
{
	struct settings settings = { .wanted = {
					     .remote_host = true,
					     .info_seconds = INFO_SECONDS,
				     } };
	int letter;

	while ((letter = option_next(argc, argv, "hHrRl:t:", synopsis)) != -1)
		switch (letter) {
		case 'h': settings.wanted.remote_host = true; break;
		case 'H': settings.wanted.remote_host = false; break;
		case 'r': settings.wanted.remote_info = true; break;
		case 'R': settings.wanted.remote_info = false; break;
		case 'l': settings.wanted.local_host = optarg; break;
		case 't':
			settings.wanted.info_seconds =
				option_number(letter, 0, INT_MAX, synopsis);
			break;
		default: break;
		}
	if (!argv[optind]) die_usage(synopsis);
	settings.program = argv + optind;
	return settings;
}

/* SSL is sslserver's, which leaves the TCP variables out without -e. */
static bool environment_is_set(void)
{
	const char *protocol = getenv("PROTO");

	if (!protocol) return false;
	return strcmp(protocol, "TCP") == 0 || strcmp(protocol, "TCP6") == 0 ||
	       (strcmp(protocol, "SSL") == 0 && getenv("TCPREMOTEIP"));
}

/* systemd's Accept=yes without StandardInput=socket: descriptor 3, announced
   as a listening socket would be. */
static void take_given_connection(void)
{
	const char *pid_text = getenv("LISTEN_PID");
	const char *count = getenv("LISTEN_FDS");
	unsigned long pid;

	if (!pid_text || parse_number(pid_text, 1, INT_MAX, &pid) < 0 ||
	    (pid_t)pid != getpid() || !count || strcmp(count, "1") != 0)
		return;
	if (dup2(FIRST_GIVEN_FD, STDIN_FILENO) < 0 ||
	    dup2(FIRST_GIVEN_FD, STDOUT_FILENO) < 0)
		die_temporary("unable to move descriptors:");
	close(FIRST_GIVEN_FD);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}

/* A line of our logs is one write, so it arrives there as one message. */
static int open_system_log(void)
{
	const struct sockaddr_un name = { .sun_family = AF_UNIX,
					  .sun_path = "/dev/log" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 &&
	    connect(fd, (const struct sockaddr *)&name, sizeof name) == 0)
		return fd;
	if (fd >= 0) close(fd);
	return open("/dev/null", O_WRONLY | O_CLOEXEC);
}

static void keep_log_from_client(void)
{
	struct stat connection, log;
	int fd;

	if (fstat(STDIN_FILENO, &connection) < 0 ||
	    fstat(STDERR_FILENO, &log) < 0 || !S_ISSOCK(log.st_mode) ||
	    connection.st_dev != log.st_dev || connection.st_ino != log.st_ino)
		return;
	fd = open_system_log();
	if (fd < 0 || dup2(fd, STDERR_FILENO) < 0) close(STDERR_FILENO);
	if (fd >= 0) close(fd);
}

int main(int argc, char **argv)
{
	bool told_by_another = environment_is_set();
	struct settings settings;
	static struct ends ends;
	static struct dns dns;
	const char *what;

	program_name = "tcp-env";
	if (!told_by_another) {
		take_given_connection();
		keep_log_from_client();
	}
	settings = read_options(argc, argv);
	if (told_by_another) process_run_next(settings.program);
	if (ends_of_socket(STDIN_FILENO, &ends, &what) < 0)
		die_temporary("unable to %s:", what);
	if (dns_open(&dns, getenv("DNSCACHEIP")) < 0)
		warn("DNSCACHEIP is no list of addresses");
	ends_look_up(&ends, &settings.wanted, &dns);
	if (ends_to_environment(&ends) < 0)
		die_temporary("unable to set the environment:");
	process_run_next(settings.program);
}
