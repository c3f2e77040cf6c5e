/* Reading and writing a connection with a limit on every wait. The descriptors
   stay as they were found (blocking or not): O_NONBLOCK would be seen by every
   process that shares the connection.
   SPDX-License-Identifier: ISC */
#ifndef SYSTEM_STREAM_H
#define SYSTEM_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "system/deadline.h"

/* Input. The caller owns `data`, of `size` bytes; what has been read and not
   yet used lies from `start` to `end`. `seconds` are for each wait; a deadline,
   if there is one (it is not 0), is for all of them together instead, and holds
   even for a peer that never lets us wait. */
struct stream_in {
	int fd;
	unsigned long seconds;
	deadline until;
	/* Nobody reads the descriptor after us, or not before stream_give_back:
	   a socket may be told of `seconds` (SO_RCVTIMEO), which saves a system
	   call for every wait. */
	bool is_ours;
	unsigned long socket_seconds; /* what it has been told; 0: nothing */
	char *data;
	size_t size;
	size_t start;
	size_t end;
};

/* Reads once, behind `end`; first moves what is unused to the front when there
   is no room behind it. The bytes read; 0 at the end of the input; -1 with
   errno: ETIMEDOUT when nothing came in time, ENOBUFS when `data` is full. */
ssize_t stream_fill(struct stream_in *);

/* The descriptor is as it was found; what follows waits by poll. */
void stream_give_back(struct stream_in *);

enum stream_kind {
	STREAM_UNKNOWN,
	STREAM_SOCKET,
	STREAM_PIPE,
	STREAM_NONBLOCKING
};

/* Output, collected in `data` until it is flushed or full. `kind` is found out
   at the first write; a descriptor of our own that has O_NONBLOCK set is said
   to be STREAM_NONBLOCKING. */
struct stream_out {
	int fd;
	unsigned long seconds;
	deadline until; /* as that of the input */
	enum stream_kind kind;
	/* The descriptor is closed behind what is flushed next: a socket may send
	   that and its end together. */
	bool is_ending;
	char *data;
	size_t size;
	size_t end;
};

/* Pieces are collected, long ones go out from where they lie. 0, or -1 with
   errno: ETIMEDOUT when the reader takes nothing for `seconds`,
   EPIPE when it is gone. What could not be written is dropped. */
int stream_put(struct stream_out *, const void *bytes, size_t length);
int stream_put_text(struct stream_out *, const char *text);
int stream_flush(struct stream_out *);

/* One write that does not wait: the bytes it took, 0 when none go now, -1 with
   errno. A descriptor of kind STREAM_PIPE may block unless poll has called it
   writable, and is promised to take PIPE_BUF bytes then, so no more are tried.
   `*kind` begins as STREAM_UNKNOWN and is found out. */
ssize_t stream_write_some(int fd, enum stream_kind *kind, const void *bytes,
			  size_t length);

/* Before a connection is closed while its peer may be sending: a close with
   unread input is a reset, which takes the last reply away from the peer. */

/* No more output: a socket's peer sees the end although others hold it too;
   any other descriptor is closed. */
void stream_shut(int out);

enum { STREAM_DRAIN_LIMIT = 65536 };

/* Throws away input up to its end, the limit, or the deadline: one that has
   passed, as 0 has, means what is there by now. */
void stream_drain(int in, deadline);

#endif
