/* The talk with a scanner that listens on a socket: one question, which holds the
   message, and one answer. Neither waits beyond the deadline, whatever the scanner
   does, and nothing of a long message is in memory.
   A scanner that answers, or hangs up, before it has heard everything is not asked
   any further: its answer says why, and is there to be read.
   The sockets are those of system/dial.h, which do not block.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_SCANNER_H
#define MAIL_SCANNER_H

#include <stddef.h>
#include <sys/types.h>

#include "base/str.h"
#include "mail/stage_message.h"
#include "system/deadline.h"

/* `head`, the message and `tail`: one system call when the message is short. 0, or
   -1 with errno: ETIMEDOUT, or what went wrong with the message's file. */
int scanner_ask(int fd, const struct str *head, const struct stage_message *,
		const struct str *tail, deadline);

/* Appends what comes next of an answer that may have `limit` bytes. How many bytes
   that are, 0 at the end; -1 with errno: ETIMEDOUT, EFBIG when it has more. */
ssize_t scanner_hear(int fd, struct str *answer, size_t limit, deadline);

#endif
