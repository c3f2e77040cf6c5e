/* SPDX-License-Identifier: ISC */
#include "mail/scanner.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/message.h"
#include "system/dial.h"

enum {
	HEARD_AT_ONCE = 16384,
	PARTS = 3,
};

enum step {
	STEP_DONE,
	STEP_OVER, /* the scanner listens no more */
	STEP_FAILED,
};

/* ---- reasons ---- */

static int fail(struct scanner *scanner, enum queue_exit_code code,
		const char *what)
{
	scanner->code = code;
	snprintf(scanner->reason, sizeof scanner->reason, "%s %s",
		 scanner->name, what);
	return -1;
}

int scanner_cannot(struct scanner *scanner, enum queue_exit_code code,
		   const char *what)
{
	scanner->code = code;
	snprintf(scanner->reason, sizeof scanner->reason, "cannot %s %s, %s",
		 what, scanner->name, error_text(errno));
	return -1;
}

int scanner_is_wrong(struct scanner *scanner, const char *what,
		     const char *words)
{
	scanner->code = QUEUE_TRY_AGAIN;
	snprintf(scanner->reason, sizeof scanner->reason, "%s %s%s%s",
		 scanner->name, what, words ? " " : "", words ? words : "");
	return -1;
}

static int no_answer(struct scanner *scanner, const char *what)
{
	if (errno == ETIMEDOUT)
		return fail(scanner, QUEUE_TIMED_OUT, "does not answer");
	if (errno == EFBIG)
		return fail(scanner, QUEUE_TRY_AGAIN, "answers too much");
	return scanner_cannot(scanner, QUEUE_TRY_AGAIN, what);
}

/* ---- the connection ---- */

void scanner_set_place(struct scanner *scanner, const char *where)
{
	struct dial_place place;
	char shown[256];

	scanner->where = where;
	if (dial_parse(where, scanner->usual_port, &place) == 0) return;
	note("fatal: %s is to be a socket's path or host:port, not %s",
	     scanner->name, printable_text(shown, sizeof shown, where));
	exit(QUEUE_CANNOT_READ_SETTINGS);
}

int scanner_connect(struct scanner *scanner)
{
	deadline end = scanner->end, soon = end;

	if (*scanner->where != '/') soon = deadline_in(SCANNER_CONNECT_SECONDS);
	scanner->fd = dial_text(scanner->where, scanner->usual_port,
				soon < end ? soon : end);
	if (scanner->fd >= 0) return 0;
	return scanner_cannot(scanner, QUEUE_CANNOT_CONNECT, "connect to");
}

void scanner_hang_up(struct scanner *scanner)
{
	if (scanner->fd >= 0) close(scanner->fd);
	scanner->fd = -1;
}

/* ---- the question ---- */

static bool is_hung_up(int error)
{
	return error == EPIPE || error == ECONNRESET;
}

/* Until the scanner takes more, or says something. */
static enum step wait_to_send(int fd, deadline end)
{
	for (;;) {
		struct pollfd watched = { .fd = fd,
					  .events = POLLIN | POLLOUT };
		int left = deadline_left(end);
		int ready = poll(&watched, 1, left);

		if (ready > 0)
			return watched.revents & (POLLIN | POLLHUP | POLLERR)
				       ? STEP_OVER
				       : STEP_DONE;
		if (ready < 0 && errno != EINTR) return STEP_FAILED;
		if (ready == 0 && deadline_left(end) == 0) {
			errno = ETIMEDOUT;
			return STEP_FAILED;
		}
	}
}

/* What to make of a send that has failed. */
static enum step after_error(int fd, deadline end)
{
	if (errno == EINTR) return STEP_DONE;
	if (errno == EAGAIN) return wait_to_send(fd, end);
	return is_hung_up(errno) ? STEP_OVER : STEP_FAILED;
}

/* Moves the parts behind what has been sent; true when nothing is left. */
static bool have_sent(struct iovec parts[PARTS], size_t sent)
{
	size_t left = 0;

	for (size_t i = 0; i < PARTS; i++) {
		size_t here = parts[i].iov_len < sent ? parts[i].iov_len : sent;

		if (here > 0)
			parts[i].iov_base = (char *)parts[i].iov_base + here;
		parts[i].iov_len -= here;
		sent -= here;
		left += parts[i].iov_len;
	}
	return left == 0;
}

static enum step send_parts(int fd, struct iovec parts[PARTS], int flags,
			    deadline end)
{
	struct msghdr all = { .msg_iov = parts, .msg_iovlen = PARTS };
	enum step step = STEP_DONE;

	while (step == STEP_DONE) {
		ssize_t sent = sendmsg(fd, &all, flags | MSG_NOSIGNAL);

		if (sent < 0) step = after_error(fd, end);
		else if (have_sent(parts, (size_t)sent)) break;
	}
	return step;
}

/* In the kernel. */
static enum step send_file(int fd, const struct stage_message *message,
			   deadline end)
{
	off_t at = message->start;
	off_t stop = message->start + (off_t)message->size;
	enum step step = STEP_DONE;

	while (step == STEP_DONE && at < stop) {
		ssize_t sent =
			sendfile(fd, message->fd, &at, (size_t)(stop - at));

		if (sent < 0) {
			step = after_error(fd, end);
		} else if (sent == 0) {
			errno = EPROTO; /* it shrank under us */
			step = STEP_FAILED;
		}
	}
	return step;
}

static enum step ask_long(int fd, struct iovec parts[PARTS],
			  const struct stage_message *message, deadline end)
{
	struct iovec head[PARTS] = { parts[0] }, tail[PARTS] = { parts[2] };
	enum step step = send_parts(fd, head, MSG_MORE, end);

	if (step == STEP_DONE) step = send_file(fd, message, end);
	if (step == STEP_DONE && tail->iov_len > 0)
		step = send_parts(fd, tail, 0, end);
	return step;
}

/* A short message in a file. */
static int load(const struct stage_message *message, struct iovec *part)
{
	const char *bytes = stage_message_at(message, 0, &part->iov_len);

	if (!bytes) return -1;
	/* An iovec cannot say that nobody writes through it. */
	part->iov_base = (union {
				 const char *read;
				 char *any;
			 }){ .read = bytes }
				 .any;
	if (part->iov_len == message->size) return 0;
	errno = EPROTO;
	return -1;
}

static enum step ask(int fd, const struct str *head,
		     const struct stage_message *message,
		     const struct str *tail, deadline end)
{
	struct iovec parts[PARTS] = {
		{ head->data, head->length },
		{ message->bytes, message->size },
		{ tail->data, tail->length },
	};

	if (!message->bytes && message->size > STAGE_MEMORY_LIMIT)
		return ask_long(fd, parts, message, end);
	if (!message->bytes && load(message, &parts[1]) < 0) return STEP_FAILED;
	return send_parts(fd, parts, 0, end);
}

int scanner_ask(struct scanner *scanner, const struct str *head,
		const struct stage_message *message, const struct str *tail)
{
	if (ask(scanner->fd, head, message, tail, scanner->end) != STEP_FAILED)
		return 0;
	return no_answer(scanner, "send to");
}

/* ---- the answer ---- */

static ssize_t hear(int fd, struct str *answer, size_t limit, deadline end)
{
	size_t room = limit - answer->length;
	ssize_t heard;

	/* One byte more shows that there are more. */
	if (room++ > HEARD_AT_ONCE) room = HEARD_AT_ONCE;
	str_reserve(answer, room);
	do {
		int ready = deadline_wait(fd, POLLIN, end);

		if (ready == 0) errno = ETIMEDOUT;
		if (ready <= 0) return -1;
		heard = recv(fd, answer->data + answer->length, room, 0);
	} while (heard < 0 && (errno == EINTR || errno == EAGAIN));
	if (heard <= 0) return heard;
	if ((size_t)heard > limit - answer->length) {
		errno = EFBIG;
		return -1;
	}
	answer->length += (size_t)heard;
	answer->data[answer->length] = '\0';
	return heard;
}

ssize_t scanner_hear(struct scanner *scanner, struct str *answer, size_t limit)
{
	ssize_t heard = hear(scanner->fd, answer, limit, scanner->end);

	return heard < 0 ? no_answer(scanner, "hear") : heard;
}
