/* SPDX-License-Identifier: ISC */
#include "restart.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/message.h"
#include "base/parse.h"
#include "log.h"
#include "readiness.h"
#include "system/file.h"

/* The file is made of lines of words:
     tcpserver 1 PID LIMIT
     listener FD
     session PID IP PORT LISTENER CAME
     arrival FD STEP LISTENER IP SCOPE PORT LOCALIP LOCALPORT CAME UNTIL
     rates FD
   A successor passes over a line that it does not know. Times are those of the
   monotonic clock, which is the same for it. */

enum {
	LINE_ROOM = 512, /* more than any line needs */
	MOST_WORDS = 11,
};

/* Saving. */

/* An empty file in memory whose descriptor leaves 0 and 1 alone. */
static int make_file(void)
{
	int low = memfd_create("restart", MFD_CLOEXEC), fd;

	if (low < 0) return -1;
	fd = fcntl(low, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	close(low);
	return fd;
}

__attribute__((format(printf, 2, 3))) static int
save_line(int fd, const char *format, ...)
{
	char line[LINE_ROOM];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= sizeof line) {
		errno = EMSGSIZE;
		return -1;
	}
	return file_write(fd, line, (size_t)length);
}

static int save_sessions(const struct server *server, int fd)
{
	const struct session *session;
	size_t at = 0;

	while ((session = sessions_next(&server->sessions, &at))) {
		char ip[NET_IP_TEXT];

		if (save_line(fd, "session %ld %s %u %zu %lld\n",
			      (long)session->pid,
			      net_ip_format(&session->ip, ip), session->port,
			      session->listener, session->came) < 0)
			return -1;
	}
	return 0;
}

static int save_arrivals(const struct server *server, int fd)
{
	for (size_t step = 0; step < STEPS; step++) {
		const struct client *client = server->arrivals.at[step].first;

		for (; client; client = client->next)
			if (save_line(fd,
				      "arrival %d %s %zu %s %u %u %s %u %lld "
				      "%lld\n",
				      client->fd, step_name(client->step),
				      client->listener, client->remote_ip,
				      client->scope, client->remote_port,
				      client->local_ip, client->local_port,
				      client->came, client->until) < 0)
				return -1;
	}
	return 0;
}

static int save(struct server *server, int fd, int rates)
{
	const struct listeners *listeners = &server->listeners;

	if (save_line(fd, "tcpserver 1 %ld %lu\n", (long)getpid(),
		      server->settings->limit) < 0)
		return -1;
	for (size_t i = 0; i < listeners->count; i++)
		if (save_line(fd, "listener %d\n", listeners->list[i].fd) < 0)
			return -1;
	if (save_sessions(server, fd) < 0 || save_arrivals(server, fd) < 0 ||
	    save_line(fd, "rates %d\n", rates) < 0 ||
	    limits_save(&server->limits, rates) < 0)
		return -1;
	return lseek(fd, 0, SEEK_SET) < 0 || lseek(rates, 0, SEEK_SET) < 0 ? -1
									   : 0;
}

/* 0 or FD_CLOEXEC, for everything that the successor is to have. */
static int set_descriptor_flags(const struct server *server, int flags)
{
	int result = 0;

	for (size_t i = 0; i < server->listeners.count; i++)
		result |= fcntl(server->listeners.list[i].fd, F_SETFD, flags);
	for (size_t step = 0; step < STEPS; step++) {
		const struct client *client = server->arrivals.at[step].first;

		for (; client; client = client->next)
			result |= fcntl(client->fd, F_SETFD, flags);
	}
	return result;
}

/* In the gap between two images SIGTERM would have its default action. */
static void hold_sigterm(int how)
{
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(how, &term, NULL);
}

/* Comes back when it fails. */
static void exec_successor(const struct server *server, int fd)
{
	const char *other = getenv(SUCCESSOR_VARIABLE);
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel's is one */
	const char *own = (const char *)getauxval(AT_EXECFN);
	const char *path = other ? other : own;
	char variable[sizeof RESTART_VARIABLE "=-2147483648"];
	char **environment;
	size_t count = 0;

	while (environ[count]) count++;
	environment = calloc(count + 2, sizeof *environment);
	if (!environment) return;
	memcpy(environment, environ, count * sizeof *environment);
	snprintf(variable, sizeof variable, RESTART_VARIABLE "=%d", fd);
	environment[count] = variable;
	hold_sigterm(SIG_BLOCK);
	execve(path, server->arguments, environment);
	hold_sigterm(SIG_UNBLOCK);
	free(environment);
}

void restart(struct server *server)
{
	int fd = make_file(), rates = fd < 0 ? -1 : make_file();

	if (rates >= 0 && save(server, fd, rates) == 0) {
		tell_reloading(server->settings);
		if (set_descriptor_flags(server, 0) == 0 &&
		    fcntl(fd, F_SETFD, 0) == 0 && fcntl(rates, F_SETFD, 0) == 0)
			exec_successor(server, fd);
	}
	if (server->settings->verbosity != QUIET) warn("unable to restart:");
	set_descriptor_flags(server, FD_CLOEXEC);
	if (fd >= 0) close(fd);
	if (rates >= 0) close(rates);
	tell_reloaded(server->settings);
}

/* Loading. What the predecessor wrote is believed, as the environment is; it
   is only checked that it was the predecessor. */

/* Splits off the next line, into words; those that are missing are empty.
   False at the end. */
static bool next_line(char **at, char *words[MOST_WORDS])
{
	static char none[] = "";
	char *line = *at, *end = strchr(line, '\n');

	if (!end) return false;
	*end = '\0';
	*at = end + 1;
	for (size_t i = 0; i < MOST_WORDS; i++) {
		char *blank = strchr(line, ' ');

		words[i] = line;
		if (blank) *blank = '\0';
		line = blank ? blank + 1 : none;
	}
	return true;
}

static unsigned long number(const char *word)
{
	unsigned long value = 0;

	parse_leading_number(word, &value);
	return value;
}

/* Its number in `*fd`; no program inherits it. */
static bool take_descriptor(const char *word, int *fd)
{
	*fd = parse_descriptor(word);
	return fcntl(*fd, F_SETFD, FD_CLOEXEC) == 0;
}

static void take_text(char text[NET_IP_TEXT], const char *word)
{
	size_t length = strlen(word);

	if (length < NET_IP_TEXT) memcpy(text, word, length + 1);
}

static int load_listener(struct server *server, char *words[MOST_WORDS])
{
	int fd;

	return take_descriptor(words[1], &fd)
		       ? add_listener(&server->listeners, fd)
		       : -1;
}

static int load_session(struct server *server, char *words[MOST_WORDS])
{
	struct session session = {
		.pid = (pid_t)number(words[1]),
		.port = (unsigned)number(words[3]),
		.listener = number(words[4]),
		.came = (deadline)number(words[5]),
	};

	if (net_ip_parse(words[2], &session.ip) < 0)
		session.ip.family = NET_NONE;
	if (sessions_make_room(&server->sessions) < 0) return -1;
	sessions_begin(&server->sessions, &session);
	limits_session_begins(&server->limits, &session.ip);
	return 0;
}

static int load_arrival(struct server *server, char *words[MOST_WORDS])
{
	struct client client = {
		.step = CHECK_TRUST,
		.listener = number(words[3]),
		.scope = (unsigned)number(words[5]),
		.remote_port = (unsigned)number(words[6]),
		.local_port = (unsigned)number(words[8]),
		.came = (deadline)number(words[9]),
		.until = (deadline)number(words[10]),
	};

	if (!take_descriptor(words[1], &client.fd)) return -1;
	while (client.step < STEPS &&
	       strcmp(words[2], step_name(client.step)) != 0)
		client.step++;
	take_text(client.remote_ip, words[4]);
	take_text(client.local_ip, words[7]);
	if (client.step < STEPS &&
	    net_ip_parse(client.remote_ip, &client.ip) == 0 &&
	    resume_arrival(server, &client) == 0)
		return 0;
	close(client.fd);
	return -1;
}

static int load_rates(struct server *server, char *words[MOST_WORDS])
{
	int fd, result;

	if (!take_descriptor(words[1], &fd)) return -1;
	result = limits_load(&server->limits, fd);
	close(fd);
	return result;
}

static const struct {
	const char *name;
	int (*load)(struct server *, char *words[MOST_WORDS]);
} kinds[] = {
	{ "listener", load_listener },
	{ "session", load_session },
	{ "arrival", load_arrival },
	{ "rates", load_rates },
};

bool find_inheritance(struct inheritance *inheritance)
{
	const char *variable = getenv(RESTART_VARIABLE);
	char *words[MOST_WORDS];
	bool found;
	int fd;

	if (!variable) return false;
	found = take_descriptor(variable, &fd);
	unsetenv(RESTART_VARIABLE);
	if (!found) return false;
	if (file_read_rest(fd, &inheritance->text, SIZE_MAX / 8) < 0)
		return false;
	inheritance->lines = inheritance->text.data;
	if (!next_line(&inheritance->lines, words) ||
	    strcmp(words[0], "tcpserver") != 0 || strcmp(words[1], "1") != 0 ||
	    number(words[2]) != (unsigned long)getpid())
		return false;
	close(fd);
	inheritance->limit = number(words[3]);
	return true;
}

void take_inheritance(struct server *server, struct inheritance *inheritance)
{
	const struct settings *settings = server->settings;
	char *words[MOST_WORDS];

	while (next_line(&inheritance->lines, words)) {
		size_t i = 0, all = sizeof kinds / sizeof *kinds;

		while (i < all && strcmp(words[0], kinds[i].name) != 0) i++;
		if (i < all && kinds[i].load(server, words) == 0) continue;
		if (settings->verbosity != QUIET)
			warn("unable to take over %s %s:", words[0], words[1]);
	}
	str_free(&inheritance->text);
	tell_reloaded(settings);
}
