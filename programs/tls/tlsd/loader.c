/* SPDX-License-Identifier: ISC */
#include "loader.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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
	pid_t worker;   /* the one that takes new sessions */
	int retire;     /* closed when it is to retire; -1: there is none */
	time_t started; /* when the worker was */
};

/* --- the socket --- */

/* A name that is left over from an earlier tlsd is taken away; who may connect
   is a matter of the umask and of the folder. */
static int listen_on(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof address.sun_path)
		die_permanent("the socket's path is too long: %s", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (fd < 0) die_temporary("unable to make a socket:");
	if (unlink(path) < 0 && errno != ENOENT)
		die_temporary("unable to remove %s:", path);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    listen(fd, BACKLOG) < 0)
		die_temporary("unable to listen on %s:", path);
	return fd;
}

static void find_socket(struct loader *loader)
{
	int type, listening = 1;
	socklen_t size = sizeof type;

	if (loader->settings->socket_path) {
		loader->socket = listen_on(loader->settings->socket_path);
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

/* It has begun, and the one before it retires; or it has not, it said why, and
   everything is as it was: -1. */
static int start_worker(struct loader *loader)
{
	int ready[2], retire[2];
	pid_t worker;
	char byte;
	ssize_t got;

	tickets_rotate(&loader->tickets);
	if (pipe2(ready, O_CLOEXEC) < 0 || pipe2(retire, O_CLOEXEC) < 0)
		die_temporary("unable to make a pipe:");
	worker = fork();
	if (worker < 0) die_temporary("unable to fork:");
	if (worker == 0) become_worker(loader, ready, retire);
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

/* Nobody else ends a worker or its keeper but a bug, or the kernel when memory
   is short. */
static void replace_worker(struct loader *loader, int status)
{
	warn("the worker has ended (status %d), starting another", status);
	/* Not in a circle. */
	if (time(NULL) - loader->started < 1) sleep(1);
	if (start_worker(loader) < 0) exit(EXIT_TRY_AGAIN);
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
	static struct loader loader = { .retire = -1 };
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
	if (start_worker(&loader) < 0) exit(EXIT_TRY_AGAIN);
	say_ready(settings);
	serve(&loader, &awaited);
}
