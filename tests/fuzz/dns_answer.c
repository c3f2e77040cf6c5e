/* DNS messages: no record reaches out of one, what is taken for a host's name
   can be nothing else, and a text is as long as its strings.
   SPDX-License-Identifier: ISC */
#include "system/dns_answer.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_host(const char host[DNS_NAME])
{
	struct net_ip ip;

	if (!memchr(host, '\0', DNS_NAME)) __builtin_trap();
	if (host[0] == '\0' || host[0] == '.' || strstr(host, ".."))
		__builtin_trap();
	if (host[strlen(host) - 1] == '.') __builtin_trap();
	if (strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789-_.") !=
	    strlen(host))
		__builtin_trap();
	if (net_ip_parse(host, &ip) == 0) __builtin_trap();
}

/* Each string has a byte for its length. */
static void check_text(const struct dns_answer *answer,
		       const struct dns_record *record)
{
	static struct str text;
	size_t strings = 0;

	str_clear(&text);
	if (!dns_record_text(answer, record, &text)) return;
	if (answer->type != DNS_TXT) __builtin_trap();
	for (size_t at = 0; at < record->length; at += 1u + record->data[at])
		strings++;
	if (strings == 0 || text.length + strings != record->length)
		__builtin_trap();
}

static void check(const uint8_t *bytes, size_t length, enum dns_type type)
{
	struct dns_answer answer;
	struct dns_record record;
	int wanted = dns_answer_open(&answer, bytes, length, type);
	int count = 0;

	while (dns_answer_next(&answer, &record)) {
		char host[DNS_NAME], name[DNS_NAME];
		struct net_ip ip;

		count++;
		if (record.data < bytes || record.data > bytes + length ||
		    record.length > (size_t)(bytes + length - record.data))
			__builtin_trap();
		check_text(&answer, &record);
		if (dns_record_host(&answer, &record, host)) check_host(host);
		if (dns_record_exchanger(&answer, &record, host) &&
		    !memchr(host, '\0', DNS_NAME))
			__builtin_trap();
		if (!dns_record_ip(&answer, &record, &ip)) continue;
		if (ip.family == NET_NONE) __builtin_trap();
		if (strlen(dns_reverse_name(&ip, name)) > 72) __builtin_trap();
	}
	if (count != (wanted < 0 ? 0 : wanted)) __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	check(bytes, length, DNS_PTR);
	check(bytes, length, DNS_A);
	check(bytes, length, DNS_MX);
	check(bytes, length, DNS_TXT);
	check(bytes, length, DNS_AAAA);
	return 0;
}
