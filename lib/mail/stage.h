/* What every program behind $QMAILQUEUE has in common: it is given a message on
   descriptor 0 and its envelope on descriptor 1 (yes, to read), answers with an
   exit code of qmail-queue's, and may say why on another descriptor.
   Start with `struct stage stage = {0}`; one message a process.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_STAGE_H
#define MAIL_STAGE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/exit_codes.h"
#include "base/str.h"
#include "mail/envelope.h"

enum {
	STAGE_MEMORY_LIMIT = 1024 * 1024, /* a longer message is a file */
	STAGE_CHUNK = 65536,
	STAGE_SECONDS = 86400,  /* qmail-queue's DEATH */
	STAGE_TEXT_LIMIT = 255, /* callers read no more */
};

/* In memory, or in a file (unlinked, or descriptor 0 itself when that is one),
   where the message begins at `start`. */
struct stage_message {
	char *bytes; /* NULL when it is in the file */
	size_t size;
	int fd;
	off_t start;
};

struct stage {
	struct stage_message message;
	struct envelope envelope;
	struct str envelope_bytes;
};

/* Holds off the signals that must not end a queue program, makes files private,
   ends the process with QUEUE_TIMED_OUT, cleaning up nothing, after a day.
   Bugs (SIGSEGV and its kind) are left to kill: callers take that for a
   temporary failure as well. */
void stage_start(void);

/* Reads the message to its end, then the envelope, and verifies it whole.
   QUEUE_DONE, or what to exit with: QUEUE_CANNOT_READ when the caller went
   away in the middle, which is no event, and deserves no line in the log. */
enum queue_exit_code stage_take(struct stage *);

/* The message's bytes from `offset` on, at most STAGE_CHUNK of them when they
   come out of a file; they stay until the next call. NULL with errno (EPROTO:
   the file has shrunk); `*length` is 0 only at the end. */
const char *stage_message_at(const struct stage_message *, size_t offset,
			     size_t *length);

/* Writes `head` and then the message to a file: one system call when it is in
   memory; in the kernel, using no memory, when it is not. 0, or -1 with errno. */
int stage_message_write(const struct stage_message *, const struct str *head,
			int fd);

/* Gives the caller a reply of our own: `text` begins with D (for ever) or Z
   (try again). Returns what to exit with: QUEUE_CUSTOM_TEXT, or, when nobody
   listens for texts, QUEUE_REFUSED or QUEUE_TRY_AGAIN. */
enum queue_exit_code stage_refuse(const char *text);

/* One line about the message: "PROGRAM: VERDICT qp PID bytes N from <S> to <R>
   …", and ": REASON" unless that is NULL. Addresses are made printable. */
void stage_log(const struct stage *, const char *verdict, const char *reason);

#endif
