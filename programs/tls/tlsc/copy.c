/* SPDX-License-Identifier: ISC */
#include "copy.h"

#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/message.h"
#include "system/deadline.h"
#include "system/stream.h"

enum {
	/* One record of TLS (RFC 8446 section 5.1): reading one always makes
	   room for the next. */
	BUFFER = 16384,
	/* The program has said all, and mostly is gone. */
	LAST_WORDS_SECONDS = 10,
};

/* One way. What has come and not gone on lies from `start` to `end`. */
struct way {
	char bytes[BUFFER];
	size_t start;
	size_t end;
	bool ended;   /* nothing more comes */
	bool closed;  /* nothing more can be passed on */
	short wanted; /* what OpenSSL waits for: POLLIN, POLLOUT, or nothing */
};

struct copy {
	SSL *ssl;
	const struct settings *settings;
	struct way in;  /* from the server */
	struct way out; /* to it */
	enum stream_kind kind;
	deadline end;
};

static struct copy the_copy;

static bool is_empty(const struct way *way)
{
	return way->start == way->end;
}

/* The connection is of no use any more; what has come from it still goes on. */
static void break_off(struct copy *copy)
{
	copy->in.ended = true;
	copy->in.wanted = copy->out.wanted = 0;
	copy->out.ended = copy->out.closed = true;
}

/* A call of OpenSSL that moved nothing: it waits, or there is an end. */
static void take_trouble(struct copy *copy, struct way *way, int result)
{
	switch (SSL_get_error(copy->ssl, result)) {
	case SSL_ERROR_WANT_READ: way->wanted = POLLIN; return;
	case SSL_ERROR_WANT_WRITE: way->wanted = POLLOUT; return;
	case SSL_ERROR_ZERO_RETURN:
		if (way == &copy->in && SSL_get_shutdown(copy->ssl)) {
			way->ended = true;
			/* Without a close_notify, nobody listens either. */
			if (BIO_eof(SSL_get_rbio(copy->ssl))) break_off(copy);
			return;
		}
		break;
	case SSL_ERROR_SSL:
		warn("unable to speak TLS: %s",
		     ERR_reason_error_string(ERR_peek_last_error()));
		break;
	default: break;
	}
	break_off(copy);
}

static bool read_server(struct copy *copy)
{
	struct way *way = &copy->in;
	int got;

	if (way->ended || !is_empty(way)) return false;
	way->start = way->end = 0;
	way->wanted = 0;
	ERR_clear_error();
	got = SSL_read(copy->ssl, way->bytes, sizeof way->bytes);
	if (got > 0) way->end = (size_t)got;
	else take_trouble(copy, way, got);
	/* Nobody wants it, but its end is waited for. */
	if (way->closed) way->start = way->end;
	return got > 0 || way->ended;
}

static bool write_server(struct copy *copy)
{
	struct way *way = &copy->out;
	int result;

	if (way->closed || (is_empty(way) && !way->ended)) return false;
	way->wanted = 0;
	ERR_clear_error();
	if (is_empty(way)) {
		result = SSL_shutdown(copy->ssl);
		if (result >= 0) {
			way->closed = true;
			copy->end = deadline_in(LAST_WORDS_SECONDS);
			return true;
		}
	} else {
		result = SSL_write(copy->ssl, way->bytes + way->start,
				   (int)(way->end - way->start));
		if (result > 0) {
			way->start += (size_t)result;
			return true;
		}
	}
	take_trouble(copy, way, result);
	return false;
}

static void end_program_input(struct copy *copy)
{
	copy->in.closed = true;
	copy->in.start = copy->in.end;
	stream_shut(copy->settings->plain_out);
}

static void write_program(struct copy *copy)
{
	struct way *way = &copy->in;
	ssize_t n = stream_write_some(copy->settings->plain_out, &copy->kind,
				      way->bytes + way->start,
				      way->end - way->start);

	if (n < 0) end_program_input(copy);
	else way->start += (size_t)n;
}

static void read_program(struct copy *copy)
{
	struct way *way = &copy->out;
	ssize_t n =
		read(copy->settings->plain_in, way->bytes, sizeof way->bytes);

	if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
	way->start = way->end = 0;
	if (n > 0) way->end = (size_t)n;
	else way->ended = true;
}

static struct pollfd watched(int fd, int events)
{
	return (struct pollfd){ .fd = events ? fd : -1,
				.events = (short)events };
}

/* False: it has taken too long. */
static bool wait_for_work(struct copy *copy, bool moved)
{
	enum { NETWORK_IN, NETWORK_OUT, PROGRAM_IN, PROGRAM_OUT, WATCHED };
	const struct settings *fds = copy->settings;
	const struct way *in = &copy->in, *out = &copy->out;
	int network = in->wanted | out->wanted, ready;
	bool has_room = is_empty(out) && !out->ended;
	struct pollfd list[WATCHED] = {
		[NETWORK_IN] = watched(fds->network_in, network & POLLIN),
		[NETWORK_OUT] = watched(fds->network_out, network & POLLOUT),
		[PROGRAM_IN] = watched(fds->plain_in, has_room ? POLLIN : 0),
		[PROGRAM_OUT] =
			watched(fds->plain_out, is_empty(in) ? 0 : POLLOUT),
	};

	do ready = poll(list, WATCHED, moved ? 0 : deadline_left(copy->end));
	while (ready < 0 && errno == EINTR);
	/* As long as somebody listens, a server that goes on may go on. */
	if (ready > 0 && out->closed && !in->closed)
		copy->end = deadline_in(LAST_WORDS_SECONDS);
	if (list[PROGRAM_OUT].revents) write_program(copy);
	if (list[PROGRAM_IN].revents) read_program(copy);
	return moved || ready != 0;
}

void copy_both_ways(SSL *ssl, const struct settings *settings)
{
	struct copy *copy = &the_copy;

	copy->ssl = ssl;
	copy->settings = settings;
	copy->end = DEADLINE_NEVER;
	for (;;) {
		bool moved = read_server(copy);

		if (write_server(copy)) moved = true;
		if (copy->in.ended && is_empty(&copy->in) && !copy->in.closed)
			end_program_input(copy);
		if (copy->in.closed && copy->out.closed) return;
		if (!wait_for_work(copy, moved)) return;
	}
}
