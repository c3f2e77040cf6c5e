/* The talk with a scanner that listens on a socket: one question, which holds the
   message, and one answer. Nothing waits beyond the deadline, whatever the scanner
   does, and nothing of a long message is in memory.
   A scanner that answers, or hangs up, before it has heard everything is not asked
   any further: its answer says why, and is there to be heard.
   Where there is no answer, there is a reason, for the log and filter_no_verdict.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_SCANNER_H
#define MAIL_SCANNER_H

#include <stddef.h>
#include <sys/types.h>

#include "base/exit_codes.h"
#include "base/str.h"
#include "mail/stage_message.h"
#include "system/deadline.h"

enum {
	SCANNER_REASON = 512,
	/* A host that says nothing for so long is away. A server on a local socket
	   that does not take us yet has much to do: it may have all the time. */
	SCANNER_CONNECT_SECONDS = 10,
};

struct scanner {
	const char *name;  /* in reasons */
	const char *where; /* as system/dial.h has it */
	unsigned usual_port;
	deadline end;

	int fd;
	/* After a -1. Bytes from outside are in it as they were given. */
	enum queue_exit_code code;
	char reason[SCANNER_REASON];
};

/* The calls give 0, or -1 with code and reason, unless something else is said. */

/* Sets `where`, with usual_port and name set. What names no server would never be
   reached: it ends the process, QUEUE_CANNOT_READ_SETTINGS. */
void scanner_set_place(struct scanner *, const char *where);

int scanner_connect(struct scanner *);
void scanner_hang_up(struct scanner *);

/* `head`, the message and `tail`: one system call when the message is short. */
int scanner_ask(struct scanner *, const struct str *head,
		const struct stage_message *, const struct str *tail);

/* Appends what comes next of an answer that may have `limit` bytes. How many bytes
   that are, 0 at the end. */
ssize_t scanner_hear(struct scanner *, struct str *answer, size_t limit);

/* It cannot do its work because of errno: "cannot WHAT NAME, CAUSE". -1. */
int scanner_cannot(struct scanner *, enum queue_exit_code, const char *what);

/* What it answers is none: "NAME WHAT", and behind a blank the words, unless they are
   NULL. -1. */
int scanner_is_wrong(struct scanner *, const char *what, const char *words);

#endif
