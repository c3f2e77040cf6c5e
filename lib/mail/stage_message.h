/* The message that a stage of the queue was given on descriptor 0, wherever it
   is: in memory, or in a file, where it begins at an offset that need not be 0.
   A file is used in place from its offset on and is not read before it has to
   be; a message out of a pipe stays in memory up to STAGE_MEMORY_LIMIT bytes,
   and goes into an unlinked file in $TMPDIR (/tmp) beyond that.

   Such a file may have a hole before the message, which a later stage fills with
   lines of its own instead of copying all of it. So who reads descriptor 0 begins
   at its offset, as with a pipe, and does not seek to 0.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_STAGE_MESSAGE_H
#define MAIL_STAGE_MESSAGE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/exit_codes.h"
#include "base/str.h"

enum {
	STAGE_MEMORY_LIMIT = 1024 * 1024,
	STAGE_CHUNK = 65536,
};

struct stage_message {
	char *bytes; /* NULL when it is in the file */
	size_t size;
	int fd; /* -1 when it is in memory */
	off_t start;
};

/* Takes the message from descriptor 0. `file`, unless it is 0, is a descriptor
   of the caller's: there a long message out of a pipe goes, from the offset
   `room` on. QUEUE_DONE, CANNOT_READ, or CANNOT_WRITE with errno. */
enum queue_exit_code stage_message_take(struct stage_message *, int file,
					off_t room);

/* The message's bytes from `offset` on, at most STAGE_CHUNK of them when they
   come out of a long file; they stay until the next call. NULL with errno
   (EPROTO: the file has shrunk); `*length` is 0 only at the end. */
const char *stage_message_at(const struct stage_message *, size_t offset,
			     size_t *length);

/* Writes `head` and then the message to a file: one system call when it is in
   memory; in the kernel, using no memory, when it is not. 0, or -1 with errno. */
int stage_message_write(const struct stage_message *, const struct str *head,
			int fd);

/* `top` in the place of the message's first `cut` bytes: lines on top with 0,
   another header with its length. A message in a file is copied at most once in
   the life of a chain, into one that has room for more. 0, or -1 with errno. */
int stage_message_replace_top(struct stage_message *, size_t cut,
			      const struct str *top);

/* Puts it on descriptor 0 for another program. 0, or -1 with errno. */
int stage_message_give(struct stage_message *);

/* An unlinked file, in memory where there is such a thing and the bytes are few,
   else in $TMPDIR. -1 with errno. */
int stage_file(size_t bytes);

/* One that holds the bytes, to be read from its beginning. -1 with errno. */
int stage_file_with(const void *bytes, size_t length);

/* The file of a message that is in one, to read it from its start: an open file of
   its own, so that its reader moves nobody else's offset and cannot write.
   Close-on-exec. -1 with errno. */
int stage_message_open(const struct stage_message *);

#endif
