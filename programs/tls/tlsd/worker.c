/* SPDX-License-Identifier: ISC */
#include "worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "keeper.h"
#include "session.h"
#include "system/handover.h"

enum {
	MOST_WAITING = 16384,
	/* Who connects to the socket's path sends one message and goes. */
	MOST_SENDERS = 64,
	EVENTS = 64,
	/* Descriptors that are not those of waiting sessions. */
	SPARE_DESCRIPTORS = MOST_SENDERS + 32,
	BACK_OFF_MS = 1000,
};

/* What an event is about; below that, it is the place of a waiting session. */
enum {
	EVENT_SENDER = MOST_WAITING + 1,
	EVENT_SOCKET = EVENT_SENDER + MOST_SENDERS,
	EVENT_RETIRE,
	EVENT_KEEPER,
};

/* A place that nobody has knows the next such one. */
struct place {
	struct handover session;
	unsigned next_free;
};

struct worker {
	int keeper; /* a socket to it */
	int epoll;
	int socket; /* -1: nothing more is taken */
	bool listens;
	bool paused; /* descriptors have run out */
	int retire;
	enum worker_exit why;
	unsigned waiting;
	unsigned limit;
	unsigned used; /* places that were ever taken */
	unsigned first_free;
	unsigned next_sender;
	int senders[MOST_SENDERS];             /* -1: none */
	struct place places[MOST_WAITING + 1]; /* 0 is none */
};

/* --- log --- */

static void log_refusal(const struct handover *session, const char *reason)
{
	warn("dropping connection, no TLS for %s, pid %d: %s", session->client,
	     (int)session->program, reason);
}

/* --- events --- */

static int watch(const struct worker *worker, int fd, unsigned about)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = about };

	return epoll_ctl(worker->epoll, EPOLL_CTL_ADD, fd, &event);
}

static unsigned take_place(struct worker *worker)
{
	unsigned place = worker->first_free;

	if (place) worker->first_free = worker->places[place].next_free;
	else place = ++worker->used;
	worker->waiting++;
	return place;
}

static void free_place(struct worker *worker, unsigned place)
{
	worker->places[place].next_free = worker->first_free;
	worker->first_free = place;
	worker->waiting--;
}

/* Waits while the keeper forks, as long as it has many to fork for. */
static void start_session(struct worker *worker, struct handover *session,
			  enum session_command command)
{
	if (command == SESSION_START_AND_TELL)
		session->flags |= HANDOVER_IMMEDIATE;
	if (handover_send(worker->keeper, session) < 0)
		log_refusal(session, error_text(errno));
	handover_close(session);
}

static void wait_for_command(struct worker *worker, struct handover *session)
{
	unsigned place;

	if (worker->waiting >= worker->limit) {
		log_refusal(session, "too many sessions are waiting");
		handover_close(session);
		return;
	}
	place = take_place(worker);
	worker->places[place].session = *session;
	if (watch(worker, session->descriptors[HANDOVER_CONTROL], place) == 0)
		return;
	log_refusal(session, error_text(errno));
	free_place(worker, place);
	handover_close(session);
}

/* One message: true when there may be another one behind it. */
static bool take_session(struct worker *worker, int socket, bool *ended)
{
	struct handover session;
	int taken = handover_receive(socket, &session);

	*ended = taken == 0;
	if (taken == 0) return false;
	if (taken < 0) {
		if (errno == EAGAIN) return false;
		/* The socket itself is broken, or it was one message. */
		*ended = errno != EPROTO && errno != EMFILE && errno != ENOMEM;
		warn("unable to take a session:");
		return !*ended;
	}
	if (!(session.flags & HANDOVER_IMMEDIATE)) {
		wait_for_command(worker, &session);
		return true;
	}
	start_session(worker, &session, SESSION_START_AND_TELL);
	return true;
}

static void read_command(struct worker *worker, unsigned place)
{
	struct handover *session = &worker->places[place].session;
	int control = session->descriptors[HANDOVER_CONTROL];
	char command;
	ssize_t got = recv(control, &command, 1, MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
	/* Closing it is not enough while somebody else has it, too. */
	epoll_ctl(worker->epoll, EPOLL_CTL_DEL, control, NULL);
	if (got > 0 &&
	    (command == SESSION_START || command == SESSION_START_AND_TELL)) {
		start_session(worker, session, (enum session_command)command);
	} else {
		if (got > 0)
			log_refusal(session, "unknown command on the control "
					     "socket");
		handover_close(session);
	}
	free_place(worker, place);
}

/* --- senders: those who connected to the socket's path --- */

static void forget_sender(struct worker *worker, unsigned sender)
{
	close(worker->senders[sender]);
	worker->senders[sender] = -1;
}

static void hear_sender(struct worker *worker, unsigned sender)
{
	bool ended = false;

	if (worker->senders[sender] < 0) return;
	take_session(worker, worker->senders[sender], &ended);
	if (ended) forget_sender(worker, sender);
}

static void pause_accepting(struct worker *worker)
{
	if (!worker->paused) warn("unable to accept a connection:");
	worker->paused = true;
	epoll_ctl(worker->epoll, EPOLL_CTL_DEL, worker->socket, NULL);
}

/* A sender that says nothing goes when its place is wanted. */
static void accept_sender(struct worker *worker)
{
	int fd = accept4(worker->socket, NULL, NULL,
			 SOCK_CLOEXEC | SOCK_NONBLOCK);
	unsigned sender = worker->next_sender;

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		    errno == ENOBUFS)
			pause_accepting(worker);
		return;
	}
	worker->next_sender = (sender + 1) % MOST_SENDERS;
	if (worker->senders[sender] >= 0) {
		hear_sender(worker, sender);
		if (worker->senders[sender] >= 0) forget_sender(worker, sender);
	}
	worker->senders[sender] = fd;
	if (watch(worker, fd, EVENT_SENDER + sender) < 0)
		forget_sender(worker, sender);
}

/* --- the end --- */

static void close_socket(struct worker *worker, enum worker_exit why)
{
	worker->why = why;
	if (worker->socket < 0) return;
	epoll_ctl(worker->epoll, EPOLL_CTL_DEL, worker->socket, NULL);
	close(worker->socket);
	worker->socket = -1;
}

/* What has been sent is taken; then there is no more. */
static void retire(struct worker *worker)
{
	bool ended = false;

	epoll_ctl(worker->epoll, EPOLL_CTL_DEL, worker->retire, NULL);
	while (!worker->listens && worker->socket >= 0 &&
	       take_session(worker, worker->socket, &ended))
		continue;
	close_socket(worker, WORKER_RETIRED);
	for (unsigned i = 0; i < MOST_SENDERS; i++) {
		hear_sender(worker, i);
		if (worker->senders[i] >= 0) forget_sender(worker, i);
	}
}

static void hear_socket(struct worker *worker)
{
	bool ended = false;

	if (worker->socket < 0) return;
	if (worker->listens) {
		accept_sender(worker);
		return;
	}
	take_session(worker, worker->socket, &ended);
	if (ended) close_socket(worker, WORKER_UNUSED);
}

static void dispatch(struct worker *worker, unsigned about)
{
	if (about == EVENT_KEEPER) _exit(WORKER_ALONE);
	if (about == EVENT_RETIRE) retire(worker);
	else if (about == EVENT_SOCKET) hear_socket(worker);
	else if (about >= EVENT_SENDER)
		hear_sender(worker, about - EVENT_SENDER);
	else read_command(worker, about);
}

static _Noreturn void serve(struct worker *worker)
{
	while (worker->socket >= 0 || worker->waiting) {
		struct epoll_event events[EVENTS];
		int count = epoll_wait(worker->epoll, events, EVENTS,
				       worker->paused ? BACK_OFF_MS : -1);

		for (int i = 0; i < count; i++)
			dispatch(worker, events[i].data.u32);
		if (worker->paused && count == 0 && worker->socket >= 0) {
			worker->paused = false;
			watch(worker, worker->socket, EVENT_SOCKET);
		}
	}
	_exit((int)worker->why);
}

/* --- the beginning --- */

/* As many sessions may wait as there are descriptors for. */
static unsigned waiting_limit(const struct settings *settings)
{
	struct rlimit files;
	unsigned long most;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		die_temporary("unable to get the limit of descriptors:");
	files.rlim_cur = files.rlim_max;
	/* Fails nowhere; and without, there are less. */
	(void)setrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur <= SPARE_DESCRIPTORS + HANDOVER_DESCRIPTORS)
		die_temporary("the limit of descriptors is too low");
	most = (files.rlim_cur - SPARE_DESCRIPTORS) / HANDOVER_DESCRIPTORS;
	if (most > settings->waiting_limit) most = settings->waiting_limit;
	return (unsigned)most;
}

static void set_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	signal(SIGPIPE, SIG_IGN);
	/* It is the loader that reloads; one signal may go to all of us. */
	signal(SIGHUP, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The socket to it, when it has loaded everything. Where it has not, it has
   said why. */
static int start_keeper(const struct worker_start *start)
{
	int both[2];
	pid_t keeper;
	char ready;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, both) < 0)
		die_temporary("unable to make a socket:");
	keeper = fork();
	if (keeper < 0) die_temporary("unable to fork:");
	if (keeper == 0) {
		/* Only the worker is to hold these. */
		close(both[0]);
		close(start->socket);
		close(start->retire);
		close(start->ready);
		keeper_run(start->settings, start->tickets, both[1]);
	}
	close(both[1]);
	explicit_bzero(start->tickets, sizeof *start->tickets);
	explicit_bzero(start->settings->password,
		       sizeof start->settings->password);
	if (recv(both[0], &ready, 1, 0) != 1) exit(EXIT_TRY_AGAIN);
	return both[0];
}

void worker_run(const struct worker_start *start)
{
	/* Its pages are touched as sessions come, the first ones again and
	   again. */
	static struct worker worker;

	worker.socket = start->socket;
	worker.retire = start->retire;
	worker.listens = start->listens;
	for (unsigned i = 0; i < MOST_SENDERS; i++) worker.senders[i] = -1;
	set_signals();
	worker.keeper = start_keeper(start);
	worker.limit = waiting_limit(start->settings);
	settings_confine(start->settings);
	worker.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (worker.epoll < 0 ||
	    watch(&worker, worker.socket, EVENT_SOCKET) < 0 ||
	    watch(&worker, worker.retire, EVENT_RETIRE) < 0 ||
	    watch(&worker, worker.keeper, EVENT_KEEPER) < 0)
		die_temporary("unable to watch sockets:");
	if (write(start->ready, "\n", 1) != 1) _exit(EXIT_TRY_AGAIN);
	close(start->ready);
	serve(&worker);
}
