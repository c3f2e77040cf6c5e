/* SPDX-License-Identifier: ISC */
#include "copy.h"

#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "system/deadline.h"

/* One record of TLS (RFC 8446 section 5.1): reading one always makes room for
   the next. */
enum { BUFFER = 16384 };

/* A program that is gone is no longer counted by who limits sessions: a client
   that does not take the last words must not stay, however slowly it moves. */
enum { LAST_WORDS_SECONDS = 120 };

enum progress { STUCK, MOVED };

/* One way. What has come and not gone on lies from `start` to `end`. */
struct way {
	char bytes[BUFFER];
	size_t start;
	size_t end;
	bool ended;   /* nothing more comes */
	bool closed;  /* nothing more can be passed on */
	short wanted; /* what OpenSSL waits for on the network, POLLIN or
			 POLLOUT; 0: it is not to be called */
};

struct copy {
	SSL *ssl;
	int *fds;
	struct way to_program;
	struct way to_client;
	bool broken; /* OpenSSL cannot be called any more */
	bool alone;  /* the program has closed both ways; its last words may
			still be in the pipe */
	enum copy_end end;
};

/* Two buffers of which mostly little is used: what is not touched costs
   nothing. */
static struct copy the_copy;

static bool is_empty(const struct way *way)
{
	return way->start == way->end;
}

/* `how`: it may be one socket for both ways. */
static void close_program_end(struct copy *copy, int which, int how)
{
	int *fd = &copy->fds[which];

	if (*fd < 0) return;
	shutdown(*fd, how);
	close(*fd);
	*fd = -1;
}

static void stop_writing_program(struct copy *copy)
{
	copy->to_program.closed = true;
	close_program_end(copy, HANDOVER_TO_PROGRAM, SHUT_WR);
}

/* The network is of no use any more. What the client sent still goes to the
   program, which must not wait for us to read meanwhile. */
static void break_off(struct copy *copy, enum copy_end end)
{
	copy->broken = true;
	copy->end = end;
	copy->to_program.ended = true;
	copy->to_client.ended = copy->to_client.closed = true;
	copy->to_client.start = copy->to_client.end = 0;
	close_program_end(copy, HANDOVER_FROM_PROGRAM, SHUT_RD);
}

/* What a call of OpenSSL that moved nothing means. True when the client's way
   has ended in order. */
static bool client_has_ended(struct copy *copy, struct way *way, int result)
{
	switch (SSL_get_error(copy->ssl, result)) {
	case SSL_ERROR_WANT_READ: way->wanted = POLLIN; return false;
	case SSL_ERROR_WANT_WRITE: way->wanted = POLLOUT; return false;
	case SSL_ERROR_ZERO_RETURN: return true;
	case SSL_ERROR_SSL: break_off(copy, COPY_BAD_BYTES); return false;
	default: break_off(copy, COPY_RESET); return false;
	}
}

static enum progress read_client(struct copy *copy)
{
	struct way *way = &copy->to_program;
	int got;

	if (copy->broken || way->ended || !is_empty(way)) return STUCK;
	way->start = way->end = 0;
	way->wanted = 0;
	ERR_clear_error();
	got = SSL_read(copy->ssl, way->bytes, sizeof way->bytes);
	if (got > 0) {
		way->end = (size_t)got;
		return MOVED;
	}
	if (!client_has_ended(copy, way, got)) return STUCK;
	way->ended = true;
	/* Told to pass for a close_notify, but it was not one. */
	if (BIO_eof(SSL_get_rbio(copy->ssl))) copy->end = COPY_CUT;
	return MOVED;
}

static enum progress write_program(struct copy *copy)
{
	struct way *way = &copy->to_program;
	ssize_t written;

	if (way->closed) {
		/* It is read all the same, to see how the client ends. */
		way->start = way->end;
		return STUCK;
	}
	if (is_empty(way)) {
		if (!way->ended) return STUCK;
		stop_writing_program(copy);
		return MOVED;
	}
	written = write(copy->fds[HANDOVER_TO_PROGRAM], way->bytes + way->start,
			way->end - way->start);
	if (written > 0) {
		way->start += (size_t)written;
		return MOVED;
	}
	if (written < 0 && (errno == EAGAIN || errno == EINTR)) return STUCK;
	stop_writing_program(copy);
	return MOVED;
}

static enum progress read_program(struct copy *copy)
{
	struct way *way = &copy->to_client;
	ssize_t got;

	if (way->ended || !is_empty(way)) return STUCK;
	way->start = way->end = 0;
	got = read(copy->fds[HANDOVER_FROM_PROGRAM], way->bytes,
		   sizeof way->bytes);
	if (got < 0 && (errno == EAGAIN || errno == EINTR)) return STUCK;
	if (got > 0) way->end = (size_t)got;
	else way->ended = true;
	return MOVED;
}

static enum progress write_client(struct copy *copy)
{
	struct way *way = &copy->to_client;
	int result;

	if (copy->broken || way->closed) return STUCK;
	if (is_empty(way) && !way->ended) return STUCK;
	way->wanted = 0;
	ERR_clear_error();
	if (is_empty(way)) {
		/* 0: ours is sent, the client's has not come. */
		result = SSL_shutdown(copy->ssl);
		if (result >= 0) {
			way->closed = true;
			shutdown(copy->fds[HANDOVER_NETWORK_OUT], SHUT_WR);
			return MOVED;
		}
	} else {
		result = SSL_write(copy->ssl, way->bytes + way->start,
				   (int)(way->end - way->start));
		if (result > 0) {
			way->start += (size_t)result;
			return MOVED;
		}
	}
	if (client_has_ended(copy, way, result)) break_off(copy, COPY_RESET);
	return STUCK;
}

static void watch(struct pollfd *watched, int fd, int events)
{
	/* An error is reported unasked, for ever: where nothing is waited for,
	   nothing is asked. */
	watched->fd = events ? fd : -1;
	watched->events = (short)events;
}

/* Until something can be done: 1; 0 when the deadline has passed. */
static int wait_for_work(struct copy *copy, deadline idle)
{
	enum { NETWORK_IN, NETWORK_OUT, PROGRAM_IN, PROGRAM_OUT, WATCHED };
	const struct way *in = &copy->to_program, *out = &copy->to_client;
	struct pollfd watched[WATCHED];
	int network = copy->broken ? 0 : in->wanted | out->wanted;
	int ready;

	watch(&watched[NETWORK_IN], copy->fds[HANDOVER_NETWORK_IN],
	      network & POLLIN);
	watch(&watched[NETWORK_OUT], copy->fds[HANDOVER_NETWORK_OUT],
	      network & POLLOUT);
	watch(&watched[PROGRAM_IN], copy->fds[HANDOVER_FROM_PROGRAM],
	      out->ended || !is_empty(out) ? 0 : POLLIN);
	/* Also with nothing to read: that there is no writer, once. */
	if (in->closed && !copy->alone)
		watched[PROGRAM_IN].fd = copy->fds[HANDOVER_FROM_PROGRAM];
	/* Also with nothing to write: that there is no reader is an error. */
	watched[PROGRAM_OUT] = (struct pollfd){
		.fd = copy->fds[HANDOVER_TO_PROGRAM],
		.events = is_empty(in) ? 0 : POLLOUT,
	};
	do ready = poll(watched, WATCHED, deadline_left(idle));
	while (ready < 0 && errno == EINTR);
	if (ready > 0 && watched[PROGRAM_OUT].revents & (POLLERR | POLLHUP))
		stop_writing_program(copy);
	else if (ready > 0 && in->closed &&
		 watched[PROGRAM_IN].revents & POLLHUP)
		copy->alone = true;
	return ready > 0;
}

enum copy_end copy_session(SSL *ssl, struct handover *session,
			   unsigned long idle_seconds)
{
	struct copy *copy = &the_copy;
	deadline idle = deadline_in(idle_seconds);
	bool is_last = false;

	copy->ssl = ssl;
	copy->fds = session->descriptors;
	for (;;) {
		enum progress moved = read_client(copy);

		if (write_program(copy) == MOVED) moved = MOVED;
		if (read_program(copy) == MOVED) moved = MOVED;
		if (write_client(copy) == MOVED) moved = MOVED;
		if (copy->to_program.closed && copy->to_client.closed) break;
		if (copy->alone && !is_last) {
			is_last = true;
			if (idle_seconds > LAST_WORDS_SECONDS)
				idle_seconds = LAST_WORDS_SECONDS;
			idle = deadline_in(idle_seconds);
		}
		if (moved == MOVED) {
			if (!is_last) idle = deadline_in(idle_seconds);
		} else if (!wait_for_work(copy, idle)) {
			SSL_shutdown(ssl);
			return COPY_IDLE;
		}
	}
	if (copy->end == COPY_CLOSED && !copy->to_program.ended)
		return COPY_PROGRAM;
	return copy->end;
}

void copy_linger(const struct handover *session, unsigned long seconds)
{
	int in = session->descriptors[HANDOVER_NETWORK_IN];
	deadline end = deadline_in(seconds);
	char unread[4096];
	ssize_t got;

	/* Two pipes, perhaps. */
	if (shutdown(session->descriptors[HANDOVER_NETWORK_OUT], SHUT_WR) < 0)
		close(session->descriptors[HANDOVER_NETWORK_OUT]);
	do {
		if (deadline_wait(in, POLLIN, end) <= 0) return;
		got = read(in, unread, sizeof unread);
	} while (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)));
}
