/* check_host of SPF (RFC 7208 section 4): a domain's record, and those that it
   includes and redirects to, evaluated for one client, within the limits of
   section 4.6.4: 10 terms that ask the DNS, 2 of them in vain. Local rules are
   terms that the receiver has written: they have limits of their own, and take
   nothing from the record's.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_SPF_EVALUATE_H
#define MAIL_SPF_EVALUATE_H

#include <stdbool.h>

#include "base/str.h"
#include "mail/spf_macro.h"
#include "system/dns_cache.h"

enum spf_result {
	SPF_PASS,
	SPF_FAIL,
	SPF_SOFTFAIL,
	SPF_NEUTRAL,
	SPF_PERMERROR,
	SPF_TEMPERROR,
	SPF_NONE,
};

enum {
	SPF_TEXT = 512, /* of a term or a reason, as it is shown, and a NUL */
};

struct spf_evaluation {
	/* To be set before. */
	struct dns_cache cache;
	struct spf_values values; /* all but domain and host */
	const char *rules;        /* local ones; NULL or "": none */
	bool blocks_plus_all;     /* the sender's own +all is -all */

	/* What came out. */
	bool has_matched;
	bool is_local;            /* by local rules */
	bool is_of_address;       /* the sender's whole address was asked for */
	char domain[DNS_NAME];    /* whose record decided; behind redirects */
	char mechanism[SPF_TEXT]; /* the term that matched */
	char comment[SPF_TEXT];   /* on an error, or none: why, in a sentence */
	char problem[SPF_TEXT];   /* on an error: the term or the cause */
	struct str exp;           /* domain-spec of who explains a failure */
	char host[DNS_NAME];      /* of %{p} */
};

/* What the domain's own record says; the domain can be asked for. */
enum spf_result spf_evaluate(struct spf_evaluation *, const char *domain);

/* What local rules say: terms without "v=spf1". Only when one matches that
   counts: has_matched says so. */
enum spf_result spf_evaluate_rules(struct spf_evaluation *, const char *domain,
				   const char *rules);

/* Can there be a record of the domain: has it two labels, each of 1 to 63
   printable ASCII bytes, and is it no address literal? */
bool spf_is_domain(const char *domain);

/* Makes values ready for a text: its domain, and the host if there is a %{p}. */
void spf_prepare_values(struct spf_evaluation *, const char *domain,
			struct spf_text);

#endif
