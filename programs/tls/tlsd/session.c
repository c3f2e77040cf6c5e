/* SPDX-License-Identifier: ISC */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/str.h"
#include "copy.h"
#include "environment.h"
#include "reason.h"
#include "system/deadline.h"

enum {
	LINGER_SECONDS = 10,      /* a client answers close_notify at once */
	SHORT_LINGER_SECONDS = 2, /* one that speaks no TLS may not answer */
	LOGGED_NAME = 100,
};

struct session {
	const struct settings *settings;
	struct handover *handover;
	SSL *ssl;
};

/* --- log --- */

static void log_accept(const struct session *session)
{
	const char *name =
		SSL_get_servername(session->ssl, TLSEXT_NAMETYPE_host_name);
	struct str host = { 0 };

	if (session->settings->verbosity == QUIET) return;
	if (name && *name)
		str_append_printable(&host, name, strnlen(name, LOGGED_NAME));
	else str_append_byte(&host, '-');
	note("tls %d accept %s:%s from %s sni %s %s",
	     (int)session->handover->program, SSL_get_version(session->ssl),
	     SSL_get_cipher_name(session->ssl), session->handover->client,
	     host.data, SSL_session_reused(session->ssl) ? "resumed" : "full");
	str_free(&host);
}

static void log_refusal(const struct session *session, const char *reason)
{
	warn("dropping connection, unable to accept TLS from %s for pid %d: %s",
	     session->handover->client, (int)session->handover->program,
	     reason);
}

static void log_end(const struct session *session, enum copy_end end)
{
	static const char *const words[] = {
		[COPY_CLOSED] = "closed",
		[COPY_CUT] = "cut off by the client without close_notify",
		[COPY_PROGRAM] = "the program is gone",
		[COPY_RESET] = "the network broke",
		[COPY_IDLE] = "idle for too long",
	};
	int program = (int)session->handover->program;

	if (end == COPY_BAD_BYTES)
		warn("dropping connection, unable to speak TLS with %s for "
		     "pid %d: %s",
		     session->handover->client, program, reason_take());
	else if (session->settings->verbosity == VERBOSE)
		note("tls %d end: %s", program, words[end]);
}

/* --- handshake --- */

/* The reason why the handshake failed. */
static const char *failure(const struct session *session, int error)
{
	unsigned long reason = ERR_peek_last_error();
	long verdict = SSL_get_verify_result(session->ssl);

	if (error == SSL_ERROR_SSL) {
		if (ERR_GET_LIB(reason) == ERR_LIB_SSL &&
		    ERR_GET_REASON(reason) == SSL_R_CERTIFICATE_VERIFY_FAILED)
			return X509_verify_cert_error_string(verdict);
		return reason_take();
	}
	if (error == SSL_ERROR_SYSCALL && errno) return error_text(errno);
	return "the client closed the connection";
}

/* Waits for the network, or until the program has gone. NULL, or why there is
   nothing to wait for. */
static const char *wait_for_network(const struct session *session, int error,
				    deadline end)
{
	const int *fds = session->handover->descriptors;
	bool reading = error == SSL_ERROR_WANT_READ;
	struct pollfd watched[] = {
		{ .fd = fds[reading ? HANDOVER_NETWORK_IN
				    : HANDOVER_NETWORK_OUT],
		  .events = reading ? POLLIN : POLLOUT },
		{ .fd = fds[HANDOVER_TO_PROGRAM] },
	};
	int ready;

	do ready = poll(watched, 2, deadline_left(end));
	while (ready < 0 && errno == EINTR);
	if (ready < 0) return error_text(errno);
	if (ready == 0) return "timed out";
	if (watched[1].revents) return "the program is gone";
	return NULL;
}

static const char *handshake(const struct session *session, deadline end)
{
	for (;;) {
		const char *trouble;
		int result, error;

		ERR_clear_error();
		errno = 0;
		result = SSL_accept(session->ssl);
		if (result == 1) return NULL;
		error = SSL_get_error(session->ssl, result);
		if (error != SSL_ERROR_WANT_READ &&
		    error != SSL_ERROR_WANT_WRITE)
			return failure(session, error);
		trouble = wait_for_network(session, error, end);
		if (trouble) return trouble;
	}
}

/* --- the program --- */

/* The program reads this right now, or is not worth waiting for. */
static int tell_program(const struct session *session, deadline end)
{
	int control = session->handover->descriptors[HANDOVER_CONTROL];
	bool all = session->handover->flags & HANDOVER_ENVIRONMENT;
	struct str block = { 0 };
	size_t at = 0;

	environment_append(&block, session->ssl, all);
	while (at < block.length) {
		ssize_t sent = send(control, block.data + at, block.length - at,
				    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent > 0) at += (size_t)sent;
		else if ((sent < 0 && errno != EAGAIN && errno != EINTR) ||
			 deadline_wait(control, POLLOUT, end) <= 0)
			return -1;
	}
	str_free(&block);
	return 0;
}

/* --- the process --- */

static int compare_numbers(const void *a, const void *b)
{
	const int *first = a, *second = b;

	return (*first > *second) - (*first < *second);
}

/* All but the session's and the log: those of other sessions above all, whose
   programs wait for the last holder to let go. */
static void close_others(const struct handover *handover)
{
	int own[HANDOVER_DESCRIPTORS + 1];
	unsigned next = 0;

	memcpy(own, handover->descriptors, sizeof handover->descriptors);
	own[HANDOVER_DESCRIPTORS] = STDERR_FILENO;
	qsort(own, HANDOVER_DESCRIPTORS + 1, sizeof own[0], compare_numbers);
	for (int i = 0; i <= HANDOVER_DESCRIPTORS; i++) {
		if ((unsigned)own[i] > next)
			close_range(next, (unsigned)own[i] - 1, 0);
		next = (unsigned)own[i] + 1;
	}
	close_range(next, UINT_MAX, 0);
}

/* Nor delay: a handshake is a conversation of small messages. */
static void never_block(const struct handover *handover)
{
	static const int on = 1;

	for (int i = 0; i < HANDOVER_DESCRIPTORS; i++) {
		int fd = handover->descriptors[i];

		if (i == HANDOVER_CONTROL) continue;
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	}
	/* It may be no TCP socket; then there is no delay to end. */
	(void)setsockopt(handover->descriptors[HANDOVER_NETWORK_OUT],
			 IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* Failed. The program sees it before the client does. */
static _Noreturn void give_up(struct session *session, const char *reason)
{
	int *fds = session->handover->descriptors;

	log_refusal(session, reason);
	close(fds[HANDOVER_CONTROL]);
	close(fds[HANDOVER_TO_PROGRAM]);
	close(fds[HANDOVER_FROM_PROGRAM]);
	copy_linger(session->handover, SHORT_LINGER_SECONDS);
	_exit(EXIT_TRY_AGAIN);
}

void session_run(const struct settings *settings, SSL_CTX *context,
		 struct handover *handover, enum session_command command)
{
	struct session session = { settings, handover, SSL_new(context) };
	int *fds = handover->descriptors;
	deadline end = deadline_in(settings->handshake_seconds);
	enum copy_end how;
	const char *trouble;

	close_others(handover);
	never_block(handover);
	if (!session.ssl ||
	    SSL_set_rfd(session.ssl, fds[HANDOVER_NETWORK_IN]) != 1 ||
	    SSL_set_wfd(session.ssl, fds[HANDOVER_NETWORK_OUT]) != 1)
		give_up(&session, reason_take());
	trouble = handshake(&session, end);
	if (trouble) give_up(&session, trouble);
	log_accept(&session);
	if (command == SESSION_START_AND_TELL &&
	    tell_program(&session, end) < 0)
		give_up(&session, "the program is gone");
	close(fds[HANDOVER_CONTROL]);
	how = copy_session(session.ssl, handover, settings->idle_seconds);
	log_end(&session, how);
	if (how == COPY_PROGRAM || how == COPY_BAD_BYTES)
		copy_linger(handover, how == COPY_PROGRAM
					      ? LINGER_SECONDS
					      : SHORT_LINGER_SECONDS);
	_exit(EXIT_DONE);
}
