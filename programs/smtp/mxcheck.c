/* mxcheck: could mail to this domain be delivered? One word tells, and the exit
   code: "ok" 0, "none" 1, "nullmx" 2 (it wants no mail, RFC 7505), "temporary"
   111. Whether a mail server is at home there is not looked at: an MX record is
   enough, as it always was for qmail.

   Takes a domain, as the envelope has it, and DNSCACHEIP. MX, A and AAAA are
   asked for at once, with 10 seconds for all.
   SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "mail/address.h"
#include "mail/idn.h"
#include "system/dns_cache.h"

static const char synopsis[] = "mxcheck [ -t seconds ] domain";

enum { SECONDS = 10, MOST_SECONDS = 3600 };

enum verdict { OK, NONE, NULL_MX, TEMPORARY };

static const struct {
	const char *line;
	int exit_code;
} words[] = {
	[OK] = { "ok\n", 0 },
	[NONE] = { "none\n", 1 },
	[NULL_MX] = { "nullmx\n", 2 },
	[TEMPORARY] = { "temporary\n", EXIT_TRY_AGAIN },
};

/* A root beside other names is ignored. */
static enum verdict judge_records(struct dns_answer answer)
{
	struct dns_record record;
	char host[DNS_NAME];

	while (dns_answer_next(&answer, &record))
		if (!dns_record_exchanger(&answer, &record, host) || *host)
			return OK;
	return NULL_MX;
}

/* Without an MX record the domain's own address is one (RFC 5321 section
   5.1). */
static enum verdict judge_addresses(struct dns_cache *cache, const char *domain)
{
	const struct dns_finding *found[] = {
		dns_cache_ask(cache, domain, DNS_A),
		dns_cache_ask(cache, domain, DNS_AAAA),
	};

	for (;;) {
		if (found[0]->result == DNS_FOUND ||
		    found[1]->result == DNS_FOUND)
			return OK;
		if (!found[0]->is_awaited && !found[1]->is_awaited) break;
		if (!dns_cache_wait(cache)) break;
	}
	return found[0]->result == DNS_ABSENT && found[1]->result == DNS_ABSENT
		       ? NONE
		       : TEMPORARY;
}

static enum verdict check_domain(struct dns_cache *cache, const char *domain)
{
	const struct dns_finding *exchangers;

	exchangers = dns_cache_ask(cache, domain, DNS_MX);
	(void)dns_cache_ask(cache, domain, DNS_A);
	(void)dns_cache_ask(cache, domain, DNS_AAAA);
	while (exchangers->is_awaited && dns_cache_wait(cache))
		;
	switch (exchangers->result) {
	case DNS_FOUND: return judge_records(exchangers->answer);
	case DNS_ABSENT:
		return exchangers->answer.no_name
			       ? NONE
			       : judge_addresses(cache, domain);
	case DNS_FAILED: break;
	}
	return TEMPORARY;
}

/* Without the last dot: labels of 1 to 63 bytes. */
static bool is_name(char *domain)
{
	size_t length = strlen(domain), label = 0;

	if (length > 0 && domain[length - 1] == '.') domain[--length] = '\0';
	if (length >= DNS_NAME) return false;
	for (size_t i = 0; i < length; i++) {
		if (domain[i] == '.' && label == 0) return false;
		label = domain[i] == '.' ? 0 : label + 1;
		if (label > 63) return false;
	}
	return label > 0;
}

int main(int argc, char **argv)
{
	static struct dns_cache cache;
	unsigned long seconds = SECONDS;
	enum verdict verdict = NONE;
	struct net_ip ip;
	char domain[DNS_NAME];
	int letter;

	program_name = "mxcheck";
	while ((letter = option_next(argc, argv, "t:", synopsis)) != -1)
		seconds = option_number(letter, 1, MOST_SECONDS, synopsis);
	argv += optind;
	if (argc - optind != 1) die_usage(synopsis);
	if (address_literal(argv[0], &ip) == 0) {
		verdict = OK;
	} else if (idn_to_ascii(argv[0], domain) == 0 && is_name(domain)) {
		if (dns_cache_open(&cache, getenv("DNSCACHEIP"),
				   deadline_in(seconds)) < 0)
			warn("DNSCACHEIP is no list of addresses");
		verdict = check_domain(&cache, domain);
	}
	if (write(STDOUT_FILENO, words[verdict].line,
		  strlen(words[verdict].line)) < 0)
		die_temporary("unable to write output:");
	return words[verdict].exit_code;
}
