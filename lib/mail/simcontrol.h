/* simcontrol(5): what a domain or an address wants to have scanned, in
   simscan's table control/simcontrol.cdb. Sender first, then every recipient
   (the first SIMCONTROL_RECIPIENTS), is looked up under the empty key, his
   domain, and the beginnings of his local part up to each '-' and to its end;
   what a record sets is overridden by later ones.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_SIMCONTROL_H
#define MAIL_SIMCONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "mail/envelope.h"

enum {
	SIMCONTROL_RECIPIENTS = 255,
	SIMCONTROL_VALUE = 65536, /* bytes of a record */
};

enum simcontrol_flag { SIMCONTROL_UNSET, SIMCONTROL_NO, SIMCONTROL_YES };

/* Start with zeros. */
struct simcontrol {
	bool has_table;
	enum simcontrol_flag clam, spam, spam_passthru;
	bool has_spam_hits, has_size_limit;
	long spam_hits;    /* in hundredths */
	size_t size_limit; /* bytes; longer ones are not asked about spam */
	/* NULL: not set */
	char *qmailqueue;
	char *spamuser;
	/* Words, each with a NUL; empty: not set. */
	struct str attach;
	struct str regex;
};

/* One record's value into what is there: parameters and values in turn, between
   any of simscan's separators. Parameters that nobody knows, and values that
   make no sense, change nothing. */
void simcontrol_read(struct simcontrol *, const char *value, size_t length);

/* Everything that the table has for the envelope. 0, also when there is no
   table; -1 with errno. */
int simcontrol_find(struct simcontrol *, const struct envelope *);

/* Is it to be scanned? Without a table everything is; with one, what says so. */
bool simcontrol_wants(const struct simcontrol *, enum simcontrol_flag);

void simcontrol_free(struct simcontrol *);

#endif
