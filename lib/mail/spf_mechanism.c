/* SPDX-License-Identifier: ISC */
#include "mail/spf_mechanism.h"

#include <string.h>
#include <strings.h>

#include "mail/spf_record.h"

enum { MOST_HOSTS = 10 };

/* The hosts of an MX or PTR answer, each with what is known of its address. */
struct hosts {
	size_t count;
	struct {
		char name[DNS_NAME];
		const struct dns_finding *addresses;
	} list[MOST_HOSTS];
	const char *found; /* the one that has the client's */
};

static enum dns_type address_type(const struct net_ip *ip)
{
	return ip->family == NET_IPV6 ? DNS_AAAA : DNS_A;
}

static bool has_address(const struct dns_finding *finding,
			const struct net_ip *ip, unsigned prefix)
{
	struct dns_answer answer = finding->answer;
	struct dns_record record;
	struct net_ip found;

	if (finding->result != DNS_FOUND) return false;
	while (dns_answer_next(&answer, &record))
		if (dns_record_ip(&answer, &record, &found) &&
		    spf_record_network_has(&found, prefix, ip))
			return true;
	return false;
}

enum spf_match spf_match_a(struct dns_cache *cache, const struct net_ip *ip,
			   const char *name, unsigned prefix)
{
	const struct dns_finding *finding =
		dns_cache_find(cache, name, address_type(ip));

	if (finding->result == DNS_FAILED) return SPF_LOST;
	if (finding->result == DNS_ABSENT) return SPF_VOID;
	return has_address(finding, ip, prefix) ? SPF_MATCHES : SPF_DIFFERS;
}

enum spf_match spf_match_exists(struct dns_cache *cache, const char *name)
{
	switch (dns_cache_find(cache, name, DNS_A)->result) {
	case DNS_FOUND: return SPF_MATCHES;
	case DNS_ABSENT: return SPF_VOID;
	case DNS_FAILED: break;
	}
	return SPF_LOST;
}

/* What is known so far. */
static enum spf_match look_at(struct hosts *hosts, const struct net_ip *ip,
			      unsigned prefix, bool *is_awaited)
{
	enum spf_match match = SPF_DIFFERS;

	*is_awaited = false;
	for (size_t i = 0; i < hosts->count; i++) {
		const struct dns_finding *finding = hosts->list[i].addresses;

		if (finding->is_awaited) *is_awaited = true;
		if (finding->result == DNS_FAILED) match = SPF_LOST;
		if (!has_address(finding, ip, prefix)) continue;
		hosts->found = hosts->list[i].name;
		return SPF_MATCHES;
	}
	return match;
}

/* Waits until a host is found to have the address, or none can be. */
static enum spf_match any_has_address(struct dns_cache *cache,
				      struct hosts *hosts,
				      const struct net_ip *ip, unsigned prefix)
{
	enum spf_match match;
	bool is_awaited;

	do match = look_at(hosts, ip, prefix, &is_awaited);
	while (match != SPF_MATCHES && is_awaited && dns_cache_wait(cache));
	return match;
}

/* The null MX (RFC 7505) is no host. */
enum spf_match spf_match_mx(struct dns_cache *cache, const struct net_ip *ip,
			    const char *name, unsigned prefix)
{
	const struct dns_finding *finding = dns_cache_find(cache, name, DNS_MX);
	struct dns_answer answer = finding->answer;
	struct hosts hosts = { 0 };
	struct dns_record record;

	if (finding->result == DNS_FAILED) return SPF_LOST;
	if (finding->result == DNS_ABSENT) return SPF_VOID;
	for (int i = 0; dns_answer_next(&answer, &record); i++) {
		char *host;

		if (i == MOST_HOSTS) return SPF_TOO_MANY;
		host = hosts.list[hosts.count].name;
		if (dns_record_exchanger(&answer, &record, host) && *host)
			hosts.count++;
	}
	for (size_t i = 0; i < hosts.count; i++)
		hosts.list[i].addresses = dns_cache_ask(
			cache, hosts.list[i].name, address_type(ip));
	return any_has_address(cache, &hosts, ip, prefix);
}

static bool is_within(const char *host, const char *domain)
{
	size_t length = strlen(host), end = strlen(domain);

	if (length < end || strcasecmp(host + length - end, domain) != 0)
		return false;
	return length == end || host[length - end - 1] == '.';
}

/* The first ten names of the address; those within `domain`, if it is given. */
static enum dns_result find_hosts(struct dns_cache *cache,
				  const struct net_ip *ip, const char *domain,
				  struct hosts *hosts)
{
	char name[DNS_NAME];
	const struct dns_finding *finding =
		dns_cache_find(cache, dns_reverse_name(ip, name), DNS_PTR);
	struct dns_answer answer = finding->answer;
	struct dns_record record;

	hosts->count = 0;
	if (finding->result != DNS_FOUND) return finding->result;
	for (int i = 0; i < MOST_HOSTS; i++) {
		char *host = hosts->list[hosts->count].name;

		if (!dns_answer_next(&answer, &record)) break;
		if (dns_record_host(&answer, &record, host) &&
		    (!domain || is_within(host, domain)))
			hosts->count++;
	}
	for (size_t i = 0; i < hosts->count; i++)
		hosts->list[i].addresses = dns_cache_ask(
			cache, hosts->list[i].name, address_type(ip));
	return DNS_FOUND;
}

enum spf_match spf_match_ptr(struct dns_cache *cache, const struct net_ip *ip,
			     const char *name)
{
	struct hosts hosts;
	enum dns_result result = find_hosts(cache, ip, name, &hosts);

	if (result == DNS_FOUND &&
	    any_has_address(cache, &hosts, ip, net_ip_bits(ip->family)) ==
		    SPF_MATCHES)
		return SPF_MATCHES;
	if (cache->is_late) return SPF_LOST;
	return result == DNS_ABSENT ? SPF_VOID : SPF_DIFFERS;
}

const char *spf_host_of(struct dns_cache *cache, const struct net_ip *ip,
			const char *domain, char host[DNS_NAME])
{
	enum rank { NONE, ANY, BELOW, SAME } best = NONE;
	struct hosts hosts;

	(void)find_hosts(cache, ip, NULL, &hosts);
	for (size_t i = 0; i < hosts.count && best < SAME; i++) {
		const char *name = hosts.list[i].name;
		enum rank rank = !is_within(name, domain)         ? ANY
				 : strlen(name) == strlen(domain) ? SAME
								  : BELOW;

		if (rank <= best) continue;
		while (hosts.list[i].addresses->is_awaited &&
		       dns_cache_wait(cache))
			;
		if (!has_address(hosts.list[i].addresses, ip,
				 net_ip_bits(ip->family)))
			continue;
		best = rank;
		memcpy(host, name, strlen(name) + 1);
	}
	return best == NONE ? NULL : host;
}

enum spf_match spf_confirm_host(struct dns_cache *cache,
				const struct net_ip *ip, char host[DNS_NAME])
{
	struct hosts hosts = { 0 };
	enum spf_match match;

	switch (find_hosts(cache, ip, NULL, &hosts)) {
	case DNS_FOUND: break;
	case DNS_ABSENT: return SPF_VOID;
	case DNS_FAILED: return SPF_LOST;
	}
	match = any_has_address(cache, &hosts, ip, net_ip_bits(ip->family));
	if (match == SPF_MATCHES)
		memcpy(host, hosts.found, strlen(hosts.found) + 1);
	return match;
}
