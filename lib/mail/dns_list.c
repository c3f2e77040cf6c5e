/* SPDX-License-Identifier: ISC */
#include "mail/dns_list.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

/* Where everybody's zone begins with a key of his own. */
static const char *const keyed_zones[] = {
	".dq.spamhaus.net",
	".mail.abusix.zone",
};

static const char no_zone[] = "the zone is not a DNS name";
static const char no_name[] = "the name behind # is empty, long, or no word";
static const char no_filter[] =
	"the filter is not d.d.d.d, with numbers or [n;n..m] for d";
static const char vain_filter[] =
	"the filter never matches: what counts begins with 127";
static const char no_weight[] = "the weight is no number";
static const char no_message[] = "the message is empty";
static const char no_end[] = "there is something behind the zone that is none "
			     "of #name =filter *weight :message";

/* The grammar. Each of these takes its part from `*at` on. */

static bool take_mark(char mark, const char **at)
{
	if (**at != mark) return false;
	++*at;
	return true;
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* In any case of letters; all bytes that a zone has in practice. */
static bool is_zone_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       is_digit(byte) || byte == '-' || byte == '_';
}

static bool take_zone(struct dns_list *list, const char **at)
{
	size_t used = 0, label = 0;

	for (; is_zone_byte(**at) || **at == '.'; ++*at) {
		label = **at == '.' ? 0 : label + 1;
		if (label > 63 || used + 1 >= sizeof list->zone) return false;
		if (**at == '.' && (used == 0 || list->zone[used - 1] == '.'))
			return false;
		list->zone[used++] = **at;
	}
	if (used > 0 && list->zone[used - 1] == '.') used--;
	list->zone[used] = '\0';
	return used > 0;
}

static bool take_name(struct dns_list *list, const char **at)
{
	size_t used = 0;

	for (; **at > 32 && **at < 127 && !strchr("=*:#", **at); ++*at) {
		if (used + 1 >= sizeof list->name) return false;
		list->name[used++] = **at;
	}
	list->name[used] = '\0';
	return used > 0;
}

static bool take_number(const char **at, unsigned long most,
			unsigned long *number)
{
	const char *start = *at;

	for (*number = 0; is_digit(**at); ++*at) {
		*number = *number * 10 + (unsigned long)(**at - '0');
		if (*number > most) return false;
	}
	return *at > start;
}

/* "n" or "n..m" */
static bool take_range(unsigned char values[32], const char **at)
{
	unsigned long first, last;

	if (!take_number(at, 255, &first)) return false;
	last = first;
	if ((*at)[0] == '.' && (*at)[1] == '.') {
		*at += 2;
		if (!take_number(at, 255, &last) || last < first) return false;
	}
	for (; first <= last; first++)
		values[first / 8] |= (unsigned char)(1 << first % 8);
	return true;
}

/* "n" or "[range;range]": of a lone number, ".." would be two dots. */
static bool take_values(unsigned char values[32], const char **at)
{
	unsigned long number;

	if (**at != '[') {
		if (!take_number(at, 255, &number)) return false;
		values[number / 8] |= (unsigned char)(1 << number % 8);
		return true;
	}
	do {
		++*at;
		if (!take_range(values, at)) return false;
	} while (**at == ';');
	return take_mark(']', at);
}

static bool has_value(const unsigned char values[32], unsigned value)
{
	return values[value / 8] >> value % 8 & 1;
}

static bool take_filter(struct dns_list *list, const char **at)
{
	list->has_filter = true;
	for (size_t i = 0; i < 4; i++) {
		if (i > 0 && !take_mark('.', at)) return false;
		if (!take_values(list->filter[i], at)) return false;
	}
	return true;
}

/* A list that allows takes off what its weight is. */
static bool take_weight(struct dns_list *list, const char **at)
{
	bool negative = take_mark('-', at);
	unsigned long number;

	if (!take_number(at, DNS_LIST_WEIGHT, &number)) return false;
	if (list->kind == DNS_LIST_ALLOWS && (negative || number == 0))
		return false;
	if (list->kind == DNS_LIST_ALLOWS) negative = true;
	list->has_weight = true;
	list->weight = negative ? -(int)number : (int)number;
	return true;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length > end_length &&
	       strcasecmp(text + length - end_length, end) == 0;
}

/* What to call a list that has not been given a name: its zone, without the
   label that is a key. */
static void name_by_zone(struct dns_list *list)
{
	const char *shown = list->zone;

	for (size_t i = 0; i < sizeof keyed_zones / sizeof *keyed_zones; i++)
		if (ends_with(list->zone, keyed_zones[i]))
			list->has_secret = true;
	if (list->has_secret) shown = strchr(shown, '.') + 1;
	memcpy(list->name, shown, strlen(shown) + 1);
}

const char *dns_list_parse(struct dns_list *list, const char *text,
			   enum dns_list_kind kind)
{
	const char *at = text;

	*list = (struct dns_list){ .kind = kind };
	if (kind == DNS_LIST_REFUSES) list->weight = 1;
	if (!take_zone(list, &at)) return no_zone;
	name_by_zone(list);
	if (take_mark('#', &at)) {
		list->has_secret = true;
		if (!take_name(list, &at)) return no_name;
	}
	if (take_mark('=', &at)) {
		if (!take_filter(list, &at)) return no_filter;
		if (!has_value(list->filter[0], 127)) return vain_filter;
	}
	if (take_mark('*', &at) && !take_weight(list, &at)) return no_weight;
	if (take_mark(':', &at)) {
		list->message = at;
		return *at ? NULL : no_message;
	}
	return *at == '\0' ? NULL : no_end;
}

bool dns_list_speaks_for(const struct dns_list *list)
{
	return list->kind == DNS_LIST_ALLOWS || list->weight < 0;
}

bool dns_list_is_by_text(const struct dns_list *list)
{
	return list->kind == DNS_LIST_REFUSES && !list->has_secret &&
	       !list->has_filter && !list->has_weight && !list->message;
}

/* Questions and answers. */

const char *dns_list_question(const struct dns_list *list,
			      const struct net_ip *ip, char name[DNS_NAME])
{
	const char *arpa = ip->family == NET_IPV4 ? "in-addr.arpa" : "ip6.arpa";
	size_t length = strlen(dns_reverse_name(ip, name)) - strlen(arpa);

	memcpy(name + length, list->zone, strlen(list->zone) + 1);
	return name;
}

/* 127.255.255.0/24 is what lists say to resolvers that they do not serve: too
   many questions, a public resolver, a zone spelt wrongly. 127.0.0.255 is how
   lists that speak for clients say the same. */
static bool is_no_serve(const struct dns_list *list,
			const unsigned char bytes[4])
{
	static const unsigned char too_many[4] = { 127, 0, 0, 255 };

	if (bytes[1] == 255 && bytes[2] == 255) return true;
	return dns_list_speaks_for(list) && memcmp(bytes, too_many, 4) == 0;
}

enum dns_list_answer dns_list_judge(const struct dns_list *list,
				    const struct net_ip *ip)
{
	if (ip->family != NET_IPV4 || ip->bytes[0] != 127)
		return DNS_LIST_FOREIGN;
	if (is_no_serve(list, ip->bytes)) return DNS_LIST_NO_SERVE;
	for (size_t i = 0; list->has_filter && i < 4; i++)
		if (!has_value(list->filter[i], ip->bytes[i]))
			return DNS_LIST_NONE;
	return DNS_LIST_COUNTS;
}

enum dns_list_answer dns_list_judge_all(const struct dns_list *list,
					struct dns_answer *answer,
					struct net_ip *which)
{
	enum dns_list_answer most = DNS_LIST_NONE;
	struct dns_record record;
	struct net_ip ip;

	*which = (struct net_ip){ 0 };
	while (dns_answer_next(answer, &record)) {
		enum dns_list_answer own;

		if (!dns_record_ip(answer, &record, &ip)) continue;
		own = dns_list_judge(list, &ip);
		if (own < most || (own == most && which->family)) continue;
		most = own;
		*which = ip;
	}
	return most;
}

/* Texts. */

static void cut_to_text(const struct str *from, char text[DNS_LIST_TEXT + 1])
{
	size_t length = from->length;

	if (length > DNS_LIST_TEXT) length = DNS_LIST_TEXT;
	for (size_t i = 0; i < length; i++)
		text[i] = from->data[i] >= 32 && from->data[i] < 127
				  ? from->data[i]
				  : '?';
	text[length] = '\0';
}

bool dns_list_text(struct dns_answer *answer, char text[DNS_LIST_TEXT + 1])
{
	struct dns_record record;
	struct str all = { 0 };
	bool whole = true;

	while (whole && dns_answer_next(answer, &record))
		whole = dns_record_text(answer, &record, &all);
	cut_to_text(&all, text);
	str_free(&all);
	return whole;
}

void dns_list_fill_in(const char *message, const char *ip,
		      char text[DNS_LIST_TEXT + 1])
{
	static const char mark[] = "%IP%";
	struct str all = { 0 };
	const char *at;

	while ((at = strstr(message, mark))) {
		str_append(&all, message, (size_t)(at - message));
		str_append_text(&all, ip);
		message = at + sizeof mark - 1;
	}
	str_append_text(&all, message);
	cut_to_text(&all, text);
	str_free(&all);
}
