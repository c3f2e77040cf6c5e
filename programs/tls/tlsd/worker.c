/* SPDX-License-Identifier: ISC */
#include "worker.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "context.h"
#include "session.h"
#include "system/handover.h"
#include "warm_up.h"

enum {
	MOST_WAITING = 16384,
	/* Who connects to the socket's path sends one message and goes. */
	MOST_SENDERS = 64,
	EVENTS = 64,
	/* Descriptors that are not those of waiting sessions. */
	SPARE_DESCRIPTORS = MOST_SENDERS + 32,
	BACK_OFF_MS = 1000,
	WARMED_NAMES = 32, /* a handful of milliseconds each */
};

/* What an event is about; below that, it is the place of a waiting session. */
enum {
	EVENT_SENDER = MOST_WAITING + 1,
	EVENT_SOCKET = EVENT_SENDER + MOST_SENDERS,
	EVENT_RETIRE,
};

/* A place that nobody has knows the next such one. */
struct place {
	struct handover session;
	unsigned next_free;
};

struct worker {
	const struct settings *settings;
	struct tickets *tickets;
	SSL_CTX *context;
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

/* Forks; the child comes back from nowhere. */
static void start_session(struct worker *worker, struct handover *session,
			  enum session_command command)
{
	pid_t child;

	tickets_rotate(worker->tickets);
	child = fork();
	if (child == 0) {
		tickets_freeze(worker->tickets);
		session_run(worker->settings, worker->context, session,
			    command);
	}
	if (child < 0) log_refusal(session, error_text(errno));
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
	handover_close(&session);
	return true;
}

static void read_command(struct worker *worker, unsigned place)
{
	struct handover *session = &worker->places[place].session;
	int control = session->descriptors[HANDOVER_CONTROL];
	char command;
	ssize_t got = recv(control, &command, 1, MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
	if (got > 0) {
		if (command == SESSION_START ||
		    command == SESSION_START_AND_TELL)
			start_session(worker, session,
				      (enum session_command)command);
		else
			log_refusal(session, "unknown command on the control "
					     "socket");
	}
	/* Closing the control socket takes it off epoll's list, unless a child
	   holds it, too. */
	epoll_ctl(worker->epoll, EPOLL_CTL_DEL, control, NULL);
	handover_close(session);
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
	/* Nobody waits for sessions; they leave nothing behind. */
	signal(SIGCHLD, SIG_IGN);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void load(struct worker *worker)
{
	SSL_CTX *named;

	worker->context = context_load(worker->settings, worker->tickets);
	warm_up(worker->context);
	for (unsigned i = 0; i < WARMED_NAMES; i++)
		if ((named = context_named(i))) warm_up(named);
	settings_confine(worker->settings);
	/* What was freed would be copied by every fork. */
	malloc_trim(0);
}

void worker_run(const struct worker_start *start)
{
	/* Its pages are touched as sessions come, the first ones again and
	   again. */
	static struct worker worker;

	worker.settings = start->settings;
	worker.tickets = start->tickets;
	worker.socket = start->socket;
	worker.retire = start->retire;
	worker.listens = start->listens;
	for (unsigned i = 0; i < MOST_SENDERS; i++) worker.senders[i] = -1;
	set_signals();
	worker.limit = waiting_limit(start->settings);
	load(&worker);
	worker.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (worker.epoll < 0 ||
	    watch(&worker, worker.socket, EVENT_SOCKET) < 0 ||
	    watch(&worker, worker.retire, EVENT_RETIRE) < 0)
		die_temporary("unable to watch sockets:");
	if (write(start->ready, "\n", 1) != 1) _exit(EXIT_TRY_AGAIN);
	close(start->ready);
	serve(&worker);
}
