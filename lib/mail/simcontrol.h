/* simcontrol(5): what a domain or an address wants to have scanned, in
   simscan's table control/simcontrol.cdb. The record of the empty key is the
   beginning. Then the sender, and every recipient (the first
   SIMCONTROL_RECIPIENTS), is looked up by his domain, by the beginnings of his
   local part up to each '-' (the first SIMCONTROL_PARTS), and whole; what a record
   sets is overridden by later ones. So in a message to several, the last one
   decides.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_SIMCONTROL_H
#define MAIL_SIMCONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "mail/envelope.h"

enum {
	SIMCONTROL_RECIPIENTS = 255,
	SIMCONTROL_PARTS = 32,
	SIMCONTROL_VALUE = 65536, /* bytes of a record */
};

enum simcontrol_flag { SIMCONTROL_UNSET, SIMCONTROL_NO, SIMCONTROL_YES };

/* Start with zeros. */
struct simcontrol {
	bool has_table;
	enum simcontrol_flag clam, spam, spam_passthru;
	bool has_spam_hits, has_size_limit;
	long spam_hits;    /* see mail/spam_score.h */
	size_t size_limit; /* bytes; longer ones are not asked about spam */
	/* NULL: not set */
	char *qmailqueue;
	char *spamuser;
	/* Words, each with a NUL; empty: not set. */
	struct str attach;
	struct str regex;
};

enum simcontrol_outcome {
	SIMCONTROL_END,
	SIMCONTROL_SET,
	SIMCONTROL_UNKNOWN,  /* there is no such parameter */
	SIMCONTROL_NONSENSE, /* nor such a value of it */
};

/* A parameter and its value, within the bytes that were read. */
struct simcontrol_pair {
	const char *name, *value;
	size_t name_length, value_length;
};

/* The next parameter of a record's value, from `*at` on, into what is there; what
   is UNKNOWN or NONSENSE changes nothing. Names and values stand in turn between
   any of simscan's separators; only behind a '=' may a value be empty, which
   takes back what was set before. `regex` adds to what there is. */
enum simcontrol_outcome simcontrol_next(struct simcontrol *, const char **at,
					const char *end,
					struct simcontrol_pair *);

/* All of them; for those who only use the table. */
void simcontrol_read(struct simcontrol *, const char *value, size_t length);

/* Everything that the table has for the envelope. 0, also when there is no
   table; -1 with errno. */
int simcontrol_find(struct simcontrol *, const struct envelope *);

/* Is it to be scanned? Without a table everything is; with one, what says so. */
bool simcontrol_wants(const struct simcontrol *, enum simcontrol_flag);

void simcontrol_free(struct simcontrol *);

#endif
