/* SPDX-License-Identifier: ISC */
#include "arrivals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/message.h"
#include "server.h"

enum {
	PROXY_SECONDS = 5,    /* for a header */
	EVENTS_IN_A_ROW = 64, /* then new clients have their turn */

	/* The server's own: the log, the rules, the DNS, a restart. */
	OWN_DESCRIPTORS = 24,
};

/* How long the client may take for its step, if that is one that waits. */
static deadline patience(const struct server *server,
			 const struct client *client)
{
	return deadline_in(client->step == LOOK_UP
				   ? server->settings->look_up_seconds
				   : PROXY_SECONDS);
}

int prepare_arrivals(struct arrivals *arrivals)
{
	arrivals->epoll = epoll_create1(EPOLL_CLOEXEC);
	return arrivals->epoll < 0 ? -1 : 0;
}

/* Who finds no descriptor had better not be accepted: the kernel's backlog keeps
   him until there is one. */
void limit_arrivals(struct server *server)
{
	const struct settings *settings = server->settings;
	rlim_t own = OWN_DESCRIPTORS + server->listeners.count;
	rlim_t each = settings->look_up_info ? 2 : 1, room = 1;
	struct rlimit files = { .rlim_cur = RLIM_INFINITY };

	(void)getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur > own + each) room = (files.rlim_cur - own) / each;
	server->arrivals.room =
		room < settings->limit ? (size_t)room : settings->limit;
}

/* Once is enough. */
static void tell_when_full(struct server *server)
{
	struct arrivals *arrivals = &server->arrivals;
	const struct settings *settings = server->settings;

	if (arrivals->full || arrivals->count < arrivals->room ||
	    arrivals->room >= settings->limit)
		return;
	arrivals->full = true;
	if (settings->verbosity != QUIET)
		warn("no descriptors for more than %zu clients who wait",
		     arrivals->room);
}

/* All clients of a step have the same time for it, so a new one goes to the
   end; but a restart may bring them in another order. */
static void enqueue(struct arrivals *arrivals, struct client *client)
{
	struct queue *queue = &arrivals->at[client->step];
	struct client *before = queue->last;

	while (before && before->until > client->until)
		before = before->previous;
	client->previous = before;
	client->next = before ? before->next : queue->first;
	*(before ? &before->next : &queue->first) = client;
	*(client->next ? &client->next->previous : &queue->last) = client;
}

static void dequeue(struct arrivals *arrivals, struct client *client,
		    enum step step)
{
	struct queue *queue = &arrivals->at[step];

	*(client->previous ? &client->previous->next : &queue->first) =
		client->next;
	*(client->next ? &client->next->previous : &queue->last) =
		client->previous;
}

/* Its address is known behind READ_PROXY: from there on it counts. */
static void count_for_limits(struct server *server, struct client *client)
{
	if (client->counted || client->step <= READ_PROXY) return;
	limits_session_begins(&server->limits, &client->ip);
	client->counted = true;
}

static void forget(struct server *server, struct client *client)
{
	struct arrivals *arrivals = &server->arrivals;

	if (client->counted) limits_session_ends(&server->limits, &client->ip);
	forget_names(client);
	/* Its program holds the connection open: closing is not enough. */
	(void)epoll_ctl(arrivals->epoll, EPOLL_CTL_DEL, client->fd, NULL);
	close(client->fd);
	free(client);
}

/* Edge-triggered: what has come of a header stays unread until it is whole. The
   connection is writable, so an event comes at once; a look-up begins with it. */
int resume_arrival(struct server *server, const struct client *client)
{
	struct client *arrival = malloc(sizeof *arrival);
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.ptr = arrival,
	};

	if (!arrival) return -1;
	*arrival = *client;
	arrival->has_rule = false;
	arrival->counted = false;
	if (epoll_ctl(server->arrivals.epoll, EPOLL_CTL_ADD, arrival->fd,
		      &event) < 0) {
		int cause = errno;

		free(arrival);
		errno = cause;
		return -1;
	}
	server->arrivals.count++;
	enqueue(&server->arrivals, arrival);
	count_for_limits(server, arrival);
	return 0;
}

int await_client(struct server *server, const struct client *client)
{
	struct client waiting = *client;
	int cause;

	waiting.fd = fcntl(client->fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (waiting.fd < 0) return -1;
	waiting.until = patience(server, client);
	if (resume_arrival(server, &waiting) == 0) {
		tell_when_full(server);
		return 0;
	}
	cause = errno;
	close(waiting.fd);
	errno = cause;
	return -1;
}

/* Its place of -c is the client's own while it is served: it becomes that of
   the session. */
void serve_arrival(struct server *server, struct client *client)
{
	struct arrivals *arrivals = &server->arrivals;
	enum step step = client->step;
	enum whereabouts now;

	arrivals->count--;
	now = serve_client(server, client);
	if (now == WAITS && client->step == step) {
		arrivals->count++;
		return;
	}
	dequeue(arrivals, client, step);
	if (now == LEFT) {
		forget(server, client);
		return;
	}
	arrivals->count++;
	client->until = patience(server, client);
	enqueue(arrivals, client);
	count_for_limits(server, client);
}

int arrivals_timeout(const struct server *server)
{
	const struct arrivals *arrivals = &server->arrivals;
	int timeout;

	if (!arrivals->count) return -1;
	timeout = dns_timeout(&server->look_ups.dns);
	for (size_t step = 0; step < STEPS; step++) {
		const struct client *first = arrivals->at[step].first;
		int left = first ? deadline_left(first->until) : -1;

		if (left >= 0 && (timeout < 0 || left < timeout))
			timeout = left;
	}
	return timeout;
}

/* One event at a time: serving a client may take away another one's. The DNS
   has one for all clients. */
void serve_arrivals(struct server *server)
{
	struct epoll_event event;

	for (int i = 0; i < EVENTS_IN_A_ROW; i++) {
		if (epoll_wait(server->arrivals.epoll, &event, 1, 0) != 1)
			return;
		if (event.data.ptr) serve_arrival(server, event.data.ptr);
		else dns_serve(&server->look_ups.dns);
	}
}

void expire_arrivals(struct server *server)
{
	struct arrivals *arrivals = &server->arrivals;

	if (!arrivals->count) return;
	if (dns_timeout(&server->look_ups.dns) == 0)
		dns_serve(&server->look_ups.dns);
	for (size_t step = 0; step < STEPS; step++) {
		struct client *first;

		while ((first = arrivals->at[step].first) &&
		       deadline_left(first->until) == 0) {
			first->late = true;
			serve_arrival(server, first);
		}
	}
}
