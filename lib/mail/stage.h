/* What every program behind $QMAILQUEUE has in common: it is given a message on
   descriptor 0 and its envelope on descriptor 1 (yes, to read), answers with an
   exit code of qmail-queue's, and may say why on another descriptor; or it execs
   the next stage, which finds both as it would have got them itself.
   Start with `struct stage stage = {0}`; one message a process.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_STAGE_H
#define MAIL_STAGE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/exit_codes.h"
#include "base/str.h"
#include "mail/envelope.h"
#include "mail/stage_message.h"

enum {
	STAGE_SECONDS = 86400,  /* qmail-queue's DEATH */
	STAGE_TEXT_LIMIT = 255, /* callers read no more */
	/* Where they listen for it, unless $ERROR_FD says where. */
	STAGE_TEXT_FD = 6,
	STAGE_OLD_TEXT_FD = 4, /* of callers before 2007 */
};

struct stage {
	struct stage_message message;
	struct envelope envelope;
	struct str envelope_bytes;
	/* Descriptor 1, when it is a file that holds these bytes from that offset
	   on; -1: it is another one. */
	off_t envelope_start;
	/* See stage_message_take: set by a program that has such a file. */
	int message_file;
	off_t message_room;
};

/* Holds off the signals that must not end a queue program, makes files private,
   ends the process with QUEUE_TIMED_OUT, cleaning up nothing, after a day.
   Bugs (SIGSEGV and its kind) are left to kill: callers take that for a
   temporary failure as well. */
void stage_start(void);

/* Takes the message, then reads the envelope, and verifies it whole.
   QUEUE_DONE, or what to exit with: QUEUE_CANNOT_READ when the caller went
   away in the middle, which is no event, and deserves no line in the log. */
enum queue_exit_code stage_take(struct stage *);

/* Another envelope (envelope_start, _add, _end), which is copied. */
void stage_set_envelope(struct stage *, const struct str *envelope);

/* Hands on to the next stage, whose message and envelope are the stage's; what
   stage_start has changed is as it was found, and what is ours is closed.
   argv[0] is searched along $PATH, then beside our own file; with none it is
   qmail-queue, from there. Comes back only with what to exit with, after a line
   in the log. */
enum queue_exit_code stage_exec_next(struct stage *, char *const *argv);

/* The exec alone, for who has touched nothing. */
enum queue_exit_code stage_exec(char *const *argv);

/* What stage_start has changed and a child would inherit, as it was found: for
   mail/stage_child.h, also after vfork. */
void stage_restore_in_child(void);

/* Gives the caller a reply of our own: `text` begins with D (for ever) or Z
   (try again). Returns what to exit with: QUEUE_CUSTOM_TEXT, or, when nobody
   listens for texts, QUEUE_REFUSED or QUEUE_TRY_AGAIN. */
enum queue_exit_code stage_refuse(const char *text);

/* One line about the message: "PROGRAM: VERDICT qp PID bytes N from <S> to <R>
   …", and ": REASON" unless that is NULL. Addresses are made printable. */
void stage_log(const struct stage *, const char *verdict, const char *reason);

#endif
