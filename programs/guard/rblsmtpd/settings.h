/* What rblsmtpd is told: options, and files of lists.
   SPDX-License-Identifier: ISC */
#ifndef RBLSMTPD_SETTINGS_H
#define RBLSMTPD_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "mail/dns_list.h"
#include "mail/early_talker.h"

enum { MOST_LISTS = 64 };

/* A list, and the state of -b and -c at its place. */
struct entry {
	struct dns_list list;
	bool permanent;   /* refuse with 553, not 451 */
	bool fail_closed; /* no answer is a reason to refuse, with 451 */
	bool log_only;
};

struct settings {
	int threshold; /* a client with this score is refused */
	unsigned long conversation_seconds;
	unsigned long lookup_seconds;
	const char *greeting;
	struct early_talker wait;
	bool wait_is_given;
	bool wait_from_environment;
	bool log_conversation;
	bool only_inform;
	bool only_explain;
	bool only_test;
	char **next; /* the program; its name is NULL when there is none */
	size_t count;
	struct entry entries[MOST_LISTS]; /* last: most of it stays untouched */
};

/* Into a struct that is all zero. Wrong use ends the program with 100, and so
   does a mistake in a file; one that cannot be read, with 111. */
void settings_read(struct settings *, int argc, char **argv);

#endif
