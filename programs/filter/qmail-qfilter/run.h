/* One filter after the other, each of them to its end.
   SPDX-License-Identifier: ISC */
#ifndef QMAIL_QFILTER_RUN_H
#define QMAIL_QFILTER_RUN_H

#include "base/str.h"
#include "dialect.h"
#include "mail/stage.h"
#include "system/deadline.h"

/* A filter's exit code, and what run_filter gives for it: taken, and thrown
   away. */
enum { FILTER_DISCARDS = 99 };

/* Its files are -1 while there is none. */
struct run {
	struct stage stage; /* message and envelope as they are by now */
	const struct dialect *dialect;
	deadline end; /* of all filters together */
	int message;
	int envelope;
	int message_out;
	int envelope_out;
	int queue_name; /* what filters write to descriptor 5 */
	int log;
};

/* The variables that describe message and envelope. Filters find them, and, as
   in the original, so does the queue program. */
void run_describe(const struct run *);

/* Runs the filter in that environment, and takes over what it has made of message and envelope. 0,
   FILTER_DISCARDS, or what to exit with, which has been logged. */
int run_filter(struct run *, char *const *argv, char *const *environment);

/* The path that the filters want in place of qmail-queue; false: none. */
bool run_queue_name(const struct run *, struct str *path);

#endif
