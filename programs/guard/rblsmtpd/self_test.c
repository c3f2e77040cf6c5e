/* SPDX-License-Identifier: ISC */
#include "self_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "look_up.h"
#include "system/dns.h"

enum { EXIT_SOME_LIST = 1 };

/* The IPv6 ones are ::ffff:127.0.0.2 and ::ffff:127.0.0.1, which are to be asked
   for in nibbles. */
static const struct net_ip listed_ipv4 = { NET_IPV4, { 127, 0, 0, 2 } };
static const struct net_ip unlisted_ipv4 = { NET_IPV4, { 127, 0, 0, 1 } };
static const struct net_ip listed_ipv6 = {
	NET_IPV6, { [10] = 255, [11] = 255, [12] = 127, [15] = 2 }
};
static const struct net_ip unlisted_ipv6 = {
	NET_IPV6, { [10] = 255, [11] = 255, [12] = 127, [15] = 1 }
};

struct probe {
	struct entry entry; /* any entry will do: without the filter */
	struct look_up listed[2];
	struct look_up unlisted[2];
};

static void ask(struct look_up *look_up, struct dns *dns,
		const struct net_ip *ip)
{
	look_up_start(look_up, dns, ip);
	look_up_hurry(look_up);
}

static void start(struct probe *probe, const struct entry *entry,
		  struct dns *dns)
{
	probe->entry = *entry;
	probe->entry.list.has_filter = false;
	for (int i = 0; i < 2; i++) {
		probe->listed[i].entry = &probe->entry;
		probe->listed[i].is_to_be_shown = true;
		probe->unlisted[i].entry = &probe->entry;
	}
	ask(&probe->listed[0], dns, &listed_ipv4);
	ask(&probe->unlisted[0], dns, &unlisted_ipv4);
	ask(&probe->listed[1], dns, &listed_ipv6);
	ask(&probe->unlisted[1], dns, &unlisted_ipv6);
}

static bool is_judged(const struct look_up *look_up,
		      enum dns_list_answer judgement)
{
	return look_up->address == HAS_RECORDS &&
	       look_up->judgement == judgement;
}

/* NULL: none of the addresses is answered so. */
static const struct look_up *judged(const struct probe *probe,
				    enum dns_list_answer judgement)
{
	for (int i = 0; i < 2; i++) {
		if (is_judged(&probe->listed[i], judgement))
			return &probe->listed[i];
		if (is_judged(&probe->unlisted[i], judgement))
			return &probe->unlisted[i];
	}
	return NULL;
}

static bool is_answered(const struct probe *probe)
{
	return probe->listed[0].address != BROKEN &&
	       probe->unlisted[0].address != BROKEN;
}

static const char *fault_of(const struct probe *probe, bool is_by_text)
{
	if (!is_answered(probe)) return "no answer";
	if (judged(probe, DNS_LIST_NO_SERVE))
		return "does not serve this resolver, or not so";
	if (judged(probe, DNS_LIST_FOREIGN))
		return "is no list any more, or somebody else answers for it";
	if (is_judged(&probe->unlisted[0], DNS_LIST_COUNTS) ||
	    is_judged(&probe->unlisted[1], DNS_LIST_COUNTS))
		return "has 127.0.0.1, as if everybody were listed";
	if (!is_judged(&probe->listed[0], DNS_LIST_COUNTS) &&
	    !is_judged(&probe->listed[1], DNS_LIST_COUNTS))
		return "does not have 127.0.0.2";
	if (is_by_text && probe->listed[0].text != HAS_RECORDS &&
	    probe->listed[1].text != HAS_RECORDS)
		return "has no TXT for 127.0.0.2, so it lists nobody unless it "
		       "is given a message";
	return NULL;
}

static bool report(const struct probe *probe, bool is_by_text)
{
	const char *name = probe->entry.list.name;
	const char *fault = fault_of(probe, is_by_text);
	const struct look_up *strange = judged(probe, DNS_LIST_NO_SERVE);
	const struct str *ipv4 = &probe->listed[0].addresses;
	const struct str *ipv6 = &probe->listed[1].addresses;
	char text[NET_IP_TEXT];

	if (!strange) strange = judged(probe, DNS_LIST_FOREIGN);
	if (fault && strange)
		printf("%s: %s: %s\n", name, fault,
		       net_ip_format(&strange->judged, text));
	else if (fault) printf("%s: %s\n", name, fault);
	else
		printf("%s: ok%s%s%s%s\n", name, ipv4->length ? ", IPv4" : "",
		       ipv4->length ? ipv4->data : "",
		       ipv6->length ? ", IPv6" : "",
		       ipv6->length ? ipv6->data : "");
	return !fault;
}

static void give_up(struct probe *probe)
{
	for (int i = 0; i < 2; i++) {
		look_up_give_up(&probe->listed[i]);
		look_up_give_up(&probe->unlisted[i]);
	}
}

int self_test(const struct settings *settings)
{
	static struct probe probes[MOST_LISTS];
	bool is_well = true, is_dead = true;
	struct dns dns;

	if (dns_open(&dns, getenv("DNSCACHEIP")) < 0)
		warn("DNSCACHEIP is no list of addresses");
	for (size_t i = 0; i < settings->count; i++)
		start(&probes[i], &settings->entries[i], &dns);
	(void)dns_wait(&dns, deadline_in(settings->lookup_seconds));
	for (size_t i = 0; i < settings->count; i++) {
		const struct dns_list *list = &settings->entries[i].list;

		give_up(&probes[i]);
		if (is_answered(&probes[i])) is_dead = false;
		if (!report(&probes[i], dns_list_is_by_text(list)))
			is_well = false;
	}
	if (fflush(stdout) != 0 || ferror(stdout))
		die_temporary("unable to write output");
	if (is_dead) return EXIT_TRY_AGAIN;
	return is_well ? EXIT_DONE : EXIT_SOME_LIST;
}
