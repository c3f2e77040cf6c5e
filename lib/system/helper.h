/* A small program that is run to answer one question: it gets arguments,
   variables and perhaps a few bytes on one descriptor, and says its answer on
   another one and by its exit code. It never takes longer than it may, and never
   says more than is wanted; what is too late is killed.

   It finds nothing on descriptor 0 and our standard error on 1, unless one of
   them is a descriptor of the question. The soft limits of memory are not its
   limits: a softlimit for our small programs is too little for one that is linked
   dynamically. SIGPIPE must not kill the caller.
   SPDX-License-Identifier: ISC */
#ifndef SYSTEM_HELPER_H
#define SYSTEM_HELPER_H

#include <stddef.h>
#include <sys/types.h>

#include "system/deadline.h"

enum {
	HELPER_OUTPUT_LIMIT = 65536,
	HELPER_INPUT_LIMIT = 4096, /* a pipe takes it at once */
};

/* Descriptors: 0 for none, but `input_fd` and `talk_fd` may not be that of the
   output. */
struct helper_plan {
	/* arguments[0] is searched along $PATH and then beside our own file,
	   unless it has a slash; ends in NULL. */
	const char *const *arguments;
	/* NAME=VALUE, beside our environment or in place of what is there; ends
	   in NULL, or is NULL. */
	const char *const *variables;
	int input_fd;
	const void *input;
	size_t input_length;
	int output_fd;
	int talk_fd; /* one end of a socket; ours is `talk` below */
	unsigned long seconds;
};

struct helper {
	pid_t pid;
	int output;
	int talk; /* -1: none; closed by helper_finish */
	deadline end;
};

/* 0, or -1 with errno: it cannot be run. */
int helper_start(struct helper *, const struct helper_plan *);

enum helper_ending {
	HELPER_EXITED,
	HELPER_CRASHED,
	HELPER_TIMED_OUT, /* and was killed */
	HELPER_LOST,      /* errno */
};

struct helper_answer {
	enum helper_ending ending;
	int exit_code;
	char *output; /* the caller's; a NUL behind it */
	size_t size;  /* of the room for it; 0 where none is wanted */
	size_t length;
};

/* Waits for its end. What it says beyond the room is dropped. */
void helper_finish(struct helper *, struct helper_answer *);

#endif
