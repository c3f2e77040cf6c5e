/* Standing between two sides of a conversation: bytes are carried each way as
   they come, the two ways never wait for each other, and no more is read than
   is being written. For a loop around one poll.
   SPDX-License-Identifier: ISC */
#ifndef SYSTEM_RELAY_H
#define SYSTEM_RELAY_H

#include <poll.h>
#include <stddef.h>

#include "system/stream.h"

enum { RELAY_ROOM = 32768 };

/* One way. Begins with `in` and `out`, all else 0; is over when they are -1.
   `data` is filled by one read when it is empty, and then written up to `end`;
   between the two the program may change it, and `end`, within the room. */
struct relay_way {
	int in;
	int out;
	enum stream_kind kind;
	size_t read_limit; /* of one read; 0: all the room */
	size_t written;
	size_t end;
	char data[RELAY_ROOM];
};

enum relay_result {
	RELAY_GOES_ON,
	RELAY_HAS_READ,     /* `data` up to `end`, just now */
	RELAY_IS_AT_END,    /* of the input, and all of it is written */
	RELAY_CANNOT_READ,  /* errno; all that came is written */
	RELAY_CANNOT_WRITE, /* errno */
};

/* What poll is to watch. */
struct pollfd relay_watch(const struct relay_way *);

/* Does what poll has found possible, without waiting. The program ends the way
   in the last three cases, closing what is to be closed. */
enum relay_result relay_step(struct relay_way *, const struct pollfd *watched);

/* A pipe that no exec inherits, and whose ends are above 2, also when 0, 1 or 2
   are not open: those are the connection's or the log's. 0, or -1 with errno. */
int relay_pipe(int *read_end, int *write_end);

/* The same care for one descriptor, which is closed when it had to be moved.
   The descriptor, or -1 with errno. */
int relay_keep_off_standard(int fd);

/* Closes every descriptor above 2 but these, which it sorts. For a relay that
   is a child: whatever else the chain was given is the program's. */
void relay_keep_only(int *kept, size_t count);

/* So that a program that does not read cannot hold up the relay. The other end
   of a pipe is a file description of its own, and blocks as ever. */
void relay_make_nonblocking(int fd);

#endif
