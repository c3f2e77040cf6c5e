/* DNS lists: the first line is how one is written, the rest a DNS message. No
   key is shown, no name is too long, no answer counts that no list gives, and
   no text breaks a reply.
   SPDX-License-Identifier: ISC */
#include "mail/dns_list.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_text(const char text[DNS_LIST_TEXT + 1])
{
	const char *end = memchr(text, '\0', DNS_LIST_TEXT + 1);

	if (!end) __builtin_trap();
	for (const char *at = text; at < end; at++)
		if (*at < 32 || *at > 126) __builtin_trap();
}

/* Labels of letters, digits, '-' and '_', and nothing else. */
static void check_zone(const char zone[DNS_LIST_ZONE])
{
	size_t length, label;

	if (!memchr(zone, '\0', DNS_LIST_ZONE)) __builtin_trap();
	length = strlen(zone);
	if (length == 0 || zone[length - 1] == '.') __builtin_trap();
	while (*zone) {
		label = strcspn(zone, ".");
		if (label == 0 || label > 63) __builtin_trap();
		if (strspn(zone, "abcdefghijklmnopqrstuvwxyz-_0123456789"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != label)
			__builtin_trap();
		zone += label + (zone[label] == '.');
	}
}

static void check_question(const struct dns_list *list, const uint8_t *bytes,
			   size_t length)
{
	const size_t sizes[] = { 4, 16 };
	const enum net_family families[] = { NET_IPV4, NET_IPV6 };

	for (size_t i = 0; i < 2; i++) {
		struct net_ip ip = { .family = families[i] };
		char name[DNS_NAME];
		size_t zone = strlen(list->zone);

		if (length < sizes[i]) return;
		memcpy(ip.bytes, bytes, sizes[i]);
		dns_list_question(list, &ip, name);
		if (!memchr(name, '\0', sizeof name)) __builtin_trap();
		if (strlen(name) <= zone + 1 ||
		    name[strlen(name) - zone - 1] != '.' ||
		    strcmp(name + strlen(name) - zone, list->zone) != 0)
			__builtin_trap();
	}
}

static void check_list(const struct dns_list *list, const char *text)
{
	char filled[DNS_LIST_TEXT + 1];

	check_zone(list->zone);
	if (!memchr(list->name, '\0', sizeof list->name) || !*list->name)
		__builtin_trap();
	for (const char *at = list->name; *at; at++)
		if (*at <= 32 || *at > 126) __builtin_trap();
	if (list->weight > DNS_LIST_WEIGHT || list->weight < -DNS_LIST_WEIGHT)
		__builtin_trap();
	if (list->kind == DNS_LIST_ALLOWS && list->weight > 0) __builtin_trap();
	if (dns_list_is_by_text(list) &&
	    (list->has_secret || strcmp(list->name, list->zone) != 0 ||
	     dns_list_speaks_for(list) ||
	     strlen(text) > strlen(list->zone) + 1))
		__builtin_trap();
	if (!list->message) return;
	if (!*list->message || list->message < text ||
	    list->message > text + strlen(text))
		__builtin_trap();
	dns_list_fill_in(list->message, "192.0.2.1", filled);
	check_text(filled);
}

static void check_judgement(const struct dns_list *list,
			    enum dns_list_answer judgement,
			    const struct net_ip *ip)
{
	if (ip->family == NET_NONE) {
		if (judgement != DNS_LIST_NONE) __builtin_trap();
		return;
	}
	if (dns_list_judge(list, ip) != judgement) __builtin_trap();
	if ((judgement == DNS_LIST_FOREIGN) != (ip->bytes[0] != 127))
		__builtin_trap();
	if (judgement == DNS_LIST_COUNTS && ip->bytes[1] == 255 &&
	    ip->bytes[2] == 255)
		__builtin_trap();
}

static void check_answers(const struct dns_list *list, const uint8_t *bytes,
			  size_t length)
{
	struct dns_answer answer;
	struct net_ip which;
	char text[DNS_LIST_TEXT + 1];

	if (dns_answer_open(&answer, bytes, length, DNS_A) >= 0) {
		enum dns_list_answer judgement =
			dns_list_judge_all(list, &answer, &which);

		check_judgement(list, judgement, &which);
	}
	if (dns_answer_open(&answer, bytes, length, DNS_TXT) < 0) return;
	(void)dns_list_text(&answer, text);
	check_text(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const uint8_t *newline = length ? memchr(bytes, '\n', length) : NULL;
	size_t line = newline ? (size_t)(newline - bytes) : length;
	char *text = malloc(line + 1);

	if (!text) abort();
	if (line > 0) memcpy(text, bytes, line);
	text[line] = '\0';
	for (int i = 0; i < 2; i++) {
		struct dns_list list;

		if (dns_list_parse(&list, text,
				   i ? DNS_LIST_ALLOWS : DNS_LIST_REFUSES))
			continue;
		check_list(&list, text);
		if (!newline) continue;
		check_question(&list, newline + 1, length - line - 1);
		check_answers(&list, newline + 1, length - line - 1);
	}
	free(text);
	return 0;
}
