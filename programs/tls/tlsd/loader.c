/* SPDX-License-Identifier: ISC */
#include "loader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "tickets.h"
#include "worker.h"

enum { BACKLOG = 128 };

struct loader {
	struct settings *settings;
	struct tickets tickets;
	int socket;
	bool listens;
	struct sockaddr_un beside; /* until the first worker has begun */
	pid_t worker;              /* the one that takes new sessions */
	int retire;     /* closed when it is to retire; -1: there is none */
	time_t started; /* when the worker was */
};

/* --- the socket --- */

/* Who mistakes the certificate for the socket is to keep the certificate. */
static void refuse_others(const char *path)
{
	struct stat there;

	if (lstat(path, &there) == 0 && !S_ISSOCK(there.st_mode))
		die_permanent("%s is there and no socket", path);
}

/* Under another name at first: the socket that is there may be that of a tlsd
   that works, and is replaced when this one does, too. Who may connect is a
   matter of the umask and of the folder. */
static int listen_beside(const char *path, struct sockaddr_un *address)
{
	int length = snprintf(address->sun_path, sizeof address->sun_path,
			      "%s.new", path);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (length < 0 || (size_t)length >= sizeof address->sun_path)
		die_permanent("the socket's path is too long: %s", path);
	if (fd < 0) die_temporary("unable to make a socket:");
	refuse_others(path);
	refuse_others(address->sun_path);
	if (unlink(address->sun_path) < 0 && errno != ENOENT)
		die_temporary("unable to remove %s:", address->sun_path);
	if (bind(fd, (struct sockaddr *)address, sizeof *address) < 0 ||
	    listen(fd, BACKLOG) < 0)
		die_temporary("unable to listen on %s:", path);
	return fd;
}

static void find_socket(struct loader *loader)
{
	int type, listening = 1;
	socklen_t size = sizeof type;

	if (loader->settings->socket_path) {
		loader->socket = listen_beside(loader->settings->socket_path,
					       &loader->beside);
	} else {
		loader->socket = STDIN_FILENO;
		if (getsockopt(loader->socket, SOL_SOCKET, SO_TYPE, &type,
			       &size) < 0 ||
		    type != SOCK_SEQPACKET)
			die_permanent("descriptor 0 is no SOCK_SEQPACKET "
				      "socket");
		size = sizeof listening;
		getsockopt(loader->socket, SOL_SOCKET, SO_ACCEPTCONN,
			   &listening, &size);
	}
	loader->listens = listening;
	fcntl(loader->socket, F_SETFL,
	      fcntl(loader->socket, F_GETFL) | O_NONBLOCK);
}

/* --- workers --- */

static _Noreturn void become_worker(struct loader *loader, const int ready[2],
				    const int retire[2])
{
	struct worker_start start = {
		.settings = loader->settings,
		.tickets = &loader->tickets,
		.socket = loader->socket,
		.retire = retire[0],
		.ready = ready[1],
		.listens = loader->listens,
	};

	/* Else this worker would keep the one before it from retiring, and
	   itself. */
	close(retire[1]);
	close(ready[0]);
	if (loader->retire >= 0) close(loader->retire);
	if (loader->settings->ready_fd >= 0) close(loader->settings->ready_fd);
	worker_run(&start);
}

static void close_pipe(const int ends[2])
{
	close(ends[0]);
	close(ends[1]);
}

/* Running short of descriptors or processes is not the end: -1. */
static pid_t fork_worker(struct loader *loader, int ready[2], int retire[2])
{
	pid_t worker;

	if (pipe2(ready, O_CLOEXEC) < 0) {
		warn("unable to make a pipe:");
		return -1;
	}
	if (pipe2(retire, O_CLOEXEC) < 0) {
		warn("unable to make a pipe:");
		close_pipe(ready);
		return -1;
	}
	worker = fork();
	if (worker == 0) become_worker(loader, ready, retire);
	if (worker < 0) {
		warn("unable to fork:");
		close_pipe(ready);
		close_pipe(retire);
	}
	return worker;
}

/* It has begun, and the one before it retires; or it has not, the log says why,
   and everything is as it was: -1. */
static int start_worker(struct loader *loader)
{
	int ready[2], retire[2];
	pid_t worker;
	char byte;
	ssize_t got;

	tickets_rotate(&loader->tickets);
	worker = fork_worker(loader, ready, retire);
	if (worker < 0) return -1;
	close(ready[1]);
	close(retire[0]);
	do got = read(ready[0], &byte, 1);
	while (got < 0 && errno == EINTR);
	close(ready[0]);
	if (got != 1) {
		close(retire[1]);
		waitpid(worker, NULL, 0);
		return -1;
	}
	if (loader->retire >= 0) close(loader->retire);
	loader->retire = retire[1];
	loader->worker = worker;
	loader->started = time(NULL);
	return 0;
}

static void say_ready(const struct settings *settings)
{
	if (settings->ready_fd < 0) return;
	if (write(settings->ready_fd, "\n", 1) < 0)
		warn("unable to say that tlsd is ready:");
	close(settings->ready_fd);
}

static void reload(struct loader *loader)
{
	if (start_worker(loader) < 0)
		warn("not reloaded, going on with what was loaded before");
	else if (loader->settings->verbosity != QUIET) note("reloaded");
}

/* Those who listen are not left alone by anybody. */
static bool is_unused(const struct loader *loader)
{
	struct pollfd watched = { .fd = loader->socket };

	return !loader->listens && poll(&watched, 1, 0) > 0 &&
	       watched.revents & POLLHUP;
}

/* Not in a circle. */
static void wait_a_second(void)
{
	static const struct timespec second = { .tv_sec = 1 };
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	if (sigtimedwait(&term, NULL, &second) == SIGTERM) exit(EXIT_DONE);
}

/* Nobody else ends a worker or its keeper but a bug, or the kernel when memory
   is short. What it takes to start another may be short as well, or a file be
   bad just now; who starts us may not be able to start us again. */
static void replace_worker(struct loader *loader, int status)
{
	warn("the worker has ended (status %d), starting another", status);
	if (time(NULL) - loader->started < 1) wait_a_second();
	while (start_worker(loader) < 0) {
		wait_a_second();
		if (is_unused(loader)) exit(EXIT_DONE);
	}
}

static void reap(struct loader *loader)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != loader->worker) continue; /* one that has retired */
		if (WIFEXITED(status) && WEXITSTATUS(status) == WORKER_UNUSED)
			exit(EXIT_DONE);
		replace_worker(loader, status);
	}
}

/* --- signals --- */

static _Noreturn void serve(struct loader *loader, const sigset_t *awaited)
{
	/* So that no key is kept that nobody needs any more. */
	struct timespec rest = {
		.tv_sec = (time_t)loader->settings->ticket_seconds,
	};

	if (!rest.tv_sec) rest.tv_sec = 86400;
	for (;;) {
		switch (sigtimedwait(awaited, NULL, &rest)) {
		case SIGHUP: reload(loader); break;
		case SIGCHLD: reap(loader); break;
		/* The worker retires when it sees us gone. */
		case SIGTERM: exit(EXIT_DONE);
		default: tickets_rotate(&loader->tickets); break;
		}
	}
}

void loader_run(struct settings *settings)
{
	static struct loader loader = {
		.retire = -1,
		.beside.sun_family = AF_UNIX,
	};
	sigset_t awaited;

	loader.settings = settings;
	find_socket(&loader);
	if (tickets_begin(&loader.tickets, settings->ticket_seconds) < 0)
		die_temporary("unable to make a ticket key:");
	sigemptyset(&awaited);
	sigaddset(&awaited, SIGHUP);
	sigaddset(&awaited, SIGTERM);
	sigaddset(&awaited, SIGCHLD);
	sigprocmask(SIG_BLOCK, &awaited, NULL);
	/* An ignored signal does not come; it may have been inherited so. */
	signal(SIGHUP, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	if (start_worker(&loader) < 0) {
		if (settings->socket_path) unlink(loader.beside.sun_path);
		exit(EXIT_TRY_AGAIN);
	}
	if (settings->socket_path &&
	    rename(loader.beside.sun_path, settings->socket_path) < 0)
		die_temporary("unable to listen on %s:", settings->socket_path);
	say_ready(settings);
	serve(&loader, &awaited);
}
