/* SPDX-License-Identifier: ISC */
#include "arrivals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "server.h"

/* How long a client may take for a step; what has none never waits. */
static const unsigned long patience_seconds[STEPS] = {
	[READ_PROXY] = 5,
};

enum { EVENTS_IN_A_ROW = 64 }; /* then new clients have their turn */

int prepare_arrivals(struct arrivals *arrivals)
{
	arrivals->epoll = epoll_create1(EPOLL_CLOEXEC);
	return arrivals->epoll < 0 ? -1 : 0;
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
	/* Its program holds the connection open: closing is not enough. */
	(void)epoll_ctl(arrivals->epoll, EPOLL_CTL_DEL, client->fd, NULL);
	close(client->fd);
	free(client);
}

/* Edge-triggered: what has come of a header stays unread until it is whole. */
int resume_arrival(struct server *server, const struct client *client)
{
	struct client *arrival = malloc(sizeof *arrival);
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLRDHUP | EPOLLET,
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
	waiting.until = deadline_in(patience_seconds[waiting.step]);
	if (resume_arrival(server, &waiting) == 0) return 0;
	cause = errno;
	close(waiting.fd);
	errno = cause;
	return -1;
}

/* Its place of -c is the client's own while it is served: it becomes that of
   the session. */
static void serve(struct server *server, struct client *client)
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
	client->until = deadline_in(patience_seconds[client->step]);
	enqueue(arrivals, client);
	count_for_limits(server, client);
}

int arrivals_timeout(const struct arrivals *arrivals)
{
	int timeout = -1;

	if (!arrivals->count) return timeout;
	for (size_t step = 0; step < STEPS; step++) {
		const struct client *first = arrivals->at[step].first;
		int left = first ? deadline_left(first->until) : -1;

		if (left >= 0 && (timeout < 0 || left < timeout))
			timeout = left;
	}
	return timeout;
}

/* One event at a time: serving a client may take away another one's. */
void serve_arrivals(struct server *server)
{
	struct epoll_event event;

	for (int i = 0; i < EVENTS_IN_A_ROW; i++) {
		if (epoll_wait(server->arrivals.epoll, &event, 1, 0) != 1)
			return;
		serve(server, event.data.ptr);
	}
}

void expire_arrivals(struct server *server)
{
	struct arrivals *arrivals = &server->arrivals;

	if (!arrivals->count) return;
	for (size_t step = 0; step < STEPS; step++) {
		struct client *first;

		while ((first = arrivals->at[step].first) &&
		       deadline_left(first->until) == 0) {
			first->late = true;
			serve(server, first);
		}
	}
}
