/* SPF (RFC 7208): may this client send mail in the name of that domain? The
   domain is the sender's; for bounces, which have no sender, HELO's. Nothing of
   this needs to be trusted by the caller, the explanation and the comment least
   of all: they are printable, but their words are the domain's.

   It is one look-up after the other, with one deadline for all of them; a late
   explanation is left out.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_SPF_H
#define MAIL_SPF_H

#include <stdbool.h>

#include "mail/spf_evaluate.h"
#include "system/net.h"

enum {
	SPF_EXPLANATION = 401, /* bytes, with the NUL */
	SPF_COMMENT = 1024,
	SPF_SECONDS = 20, /* RFC 7208 section 4.6.4 asks for no less */
};

struct spf_request {
	struct net_ip ip; /* NET_NONE: there is none */
	const char *helo;
	const char *sender; /* without brackets; "" for a bounce */
	const char *receiver;
	const char *servers; /* as for dns_open */
	unsigned long seconds;
	/* Local policy, each NULL or "" for none: terms that are tried before
	   the record's last word; terms for domains without a record; the text
	   for those who fail without an explanation. */
	const char *rules;
	const char *guess;
	const char *explanation;
	bool blocks_plus_all;
	bool is_ours; /* the client is this host: it passes, by local policy */
};

struct spf_check {
	struct spf_evaluation evaluation;
	enum spf_result result;
	bool is_helo;              /* of HELO, not of the sender */
	char identity[DNS_NAME];   /* the domain that has been checked */
	char subject[SPF_TEXT];    /* whose word it is: "SPF record at ..." */
	char comment[SPF_COMMENT]; /* why, without the receiver's name */
	char explanation[SPF_EXPLANATION];
	struct str local_part, address; /* of the sender, as it counts here */
};

/* Has local policy decided? */
bool spf_is_by_policy(const struct spf_check *);

/* Into a struct that is all zero. -1 with EINVAL when the servers are no list;
   those of resolv.conf have been asked then. */
int spf_check(struct spf_check *, const struct spf_request *);

/* "pass" and so on. */
const char *spf_result_word(enum spf_result);

/* "Received-SPF: ..." (section 9.1), unfolded and without a line end. A line of
   it would be too long for a message: fold it at its blanks. */
void spf_append_header(struct str *, const struct spf_check *,
		       const struct spf_request *);

#endif
