/* A program that a stage runs beside itself, and waits for. It finds signals,
   umask and descriptors as the stage has found them, but for those that it is
   given instead. When it is late, it is killed together with what it has started:
   it leads a process group of its own.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_STAGE_CHILD_H
#define MAIL_STAGE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "mail/stage_message.h"
#include "system/deadline.h"

/* `ours` is one of stage_child_out_of_way's, or 2, or -1: closed. */
struct stage_descriptor {
	int theirs;
	int ours;
};

enum { STAGE_CHILD_TEXTS = 3 };

/* Adds every descriptor on which our caller may listen for a text (up to
   STAGE_CHILD_TEXTS): all of them are `ours`. How many there are then. */
size_t stage_child_give_texts(struct stage_descriptor *, size_t count,
			      int ours);

/* The descriptor moved to where programs are given none, close-on-exec, and the
   old one closed. -1 with errno; also when it was -1 already. */
int stage_child_out_of_way(int fd);

/* argv[0] is searched along $PATH, then beside our own file. The pid, or -1 with
   errno: it cannot be run. */
pid_t stage_child_start(char *const *argv, char *const *environment,
			const struct stage_descriptor *, size_t count);

enum stage_child_ending {
	STAGE_CHILD_EXITED,
	STAGE_CHILD_CRASHED, /* `number` is the signal's */
	STAGE_CHILD_LATE,    /* and was killed */
};

struct stage_child_end {
	enum stage_child_ending ending;
	int number;
};

struct stage_child_end stage_child_wait(pid_t child, deadline);

/* A descriptor to read the message from, with an offset of its own, so that a
   reader changes nothing for others; it may not be written to. With `from_zero`
   it begins at the file's offset 0, for programs that seek. -1 with errno. */
int stage_child_message(const struct stage_message *, bool from_zero);

#endif
