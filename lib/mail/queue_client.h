/* The calling side of the queue program ($QMAILQUEUE, qmail-queue(8)): one
   process for each message, which reads the message on descriptor 0, the
   envelope on 1, and may write a reply's text to the error descriptor. The
   whole message is written before the first byte of the envelope; an envelope
   that does not come, or ends early, means that nothing may be queued.
   SIGPIPE must not kill the caller: a program that exits early is asked for its
   reason like any other.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_QUEUE_CLIENT_H
#define MAIL_QUEUE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/str.h"
#include "system/stream.h"

enum {
	/* Bytes that programs of all families keep the error text below. */
	QUEUE_TEXT_LIMIT = 255,
	/* Small pieces, like a trace field, go out together with the text. */
	QUEUE_BUFFER = 16384,
};

/* Where the program finds the pipe for its error text: newer programs write to
   descriptor 6, older ones to 4, so by default it is on both. */
enum { QUEUE_ERROR_FD_USUAL = 0, QUEUE_ERROR_FD_NONE = -1 };

struct queue_client_settings {
	char *program; /* a path, run without arguments or $PATH */
	int error_fd;  /* one of the above, or a number above 1 */
	/* For each write; and for all from the message's end to the exit. */
	unsigned long seconds;
	bool may_discard; /* exit 1 means: accepted, and thrown away */
};

struct queue_client {
	const struct queue_client_settings *settings;
	pid_t pid;
	int exec_error; /* errno, when the program could not be run */
	int envelope;
	int error_text;
	size_t written;
	int failure; /* errno of the first write that failed */
	bool closed; /* our ends of the pipes it reads */
	struct stream_out message;
	char buffer[QUEUE_BUFFER];
};

enum queue_verdict { QUEUE_ACCEPTS, QUEUE_REFUSES, QUEUE_DEFERS };

/* What to tell the client: for QUEUE_REFUSES and QUEUE_DEFERS, a text without
   the number of the reply, one line of printable ASCII. */
struct queue_result {
	enum queue_verdict verdict;
	char text[QUEUE_TEXT_LIMIT + 1];
	int exit_code; /* -1: it did not exit by itself */
};

/* Starts the program. 0; -1 with errno when there is no pipe or no process. */
int queue_client_start(struct queue_client *,
		       const struct queue_client_settings *);

/* Writes of the message. A failure is remembered; nothing more is written. */
void queue_client_write(struct queue_client *, const void *bytes,
			size_t length);

/* Closes the pipes without an envelope: the program queues nothing. */
void queue_client_abandon(struct queue_client *);

/* Ends the message, writes the envelope (unless it was abandoned), and waits
   for what the program says. A program that takes too long is killed. */
struct queue_result queue_client_finish(struct queue_client *,
					const struct str *envelope);

#endif
