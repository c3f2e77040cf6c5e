/* SPDX-License-Identifier: ISC */
#include "mail/rules.h"

#include <string.h>

#include "system/net.h"

/* The key is INFO@MARK TEXT; without an info, MARK TEXT. */
static enum table_answer find_key(struct table *table,
				  struct rules_match *match, const char *info,
				  const char *mark, const char *text,
				  size_t length)
{
	str_clear(&match->key);
	if (info) {
		str_append_text(&match->key, info);
		str_append_byte(&match->key, '@');
	}
	if (*mark) str_append_text(&match->key, mark);
	str_append(&match->key, text, length);
	if (match->tried)
		str_append(match->tried, match->key.data,
			   match->key.length + 1);
	return table_find(table, match->key.data, match->key.length,
			  &match->data, &match->data_length);
}

static enum table_answer find_whole(struct table *table,
				    struct rules_match *match, const char *info,
				    const char *mark, const char *text)
{
	return find_key(table, match, info, mark, text, strlen(text));
}

/* The networks. */

enum { NO_LENGTH = -1, LONGEST = 128 };

/* The lengths that the table has networks of, longest first. */
struct lengths {
	struct net_ip ip;
	const char *at;
	int next;
};

/* " NUMBER" as often as it is there; in another order nobody has made it. */
static void next_length(struct lengths *lengths)
{
	const char *at = lengths->at;
	int number = 0, before = lengths->next;

	lengths->next = NO_LENGTH;
	if (*at++ != ' ' || *at < '0' || *at > '9') return;
	for (; *at >= '0' && *at <= '9' && number <= LONGEST; at++)
		number = number * 10 + (*at - '0');
	if (number >= before) return;
	lengths->at = at;
	lengths->next = number;
}

static void begin_lengths(struct table *table, const char *ip,
			  struct lengths *lengths)
{
	const char *item, *end;
	size_t length;
	char family;

	*lengths = (struct lengths){ .next = NO_LENGTH };
	if (table_find_once(table, RULES_LENGTHS_KEY,
			    sizeof RULES_LENGTHS_KEY - 1, &item,
			    &length) != TABLE_FOUND ||
	    net_ip_parse(ip, &lengths->ip) < 0)
		return;
	family = lengths->ip.family == NET_IPV4 ? '4' : '6';
	for (end = item + length; item < end; item++) {
		const char *nul = memchr(item, '\0', (size_t)(end - item));

		if (!nul) return;
		if (*item == family) {
			lengths->at = item + 1;
			lengths->next =
				(int)net_ip_bits(lengths->ip.family) + 1;
			next_length(lengths);
			return;
		}
		item = nul;
	}
}

/* How many bits of it the first `length` bytes of an address are; a "::" among
   them stands for all groups but those before and behind it. */
static int bits_of_beginning(const char *ip, size_t length)
{
	enum { OCTET = 8, GROUP = 16 };
	int before = 0, dots = 0, behind = ip[length] ? GROUP : 0;
	bool zeros = false;

	for (size_t i = 0; ip[i]; i++) {
		if (i >= length && ip[i] == ':') behind += GROUP;
		if (i >= length) continue;
		if (ip[i] == '.') dots += OCTET;
		if (ip[i] != ':') continue;
		if (i > 0 && ip[i - 1] == ':') zeros = true;
		else if (i > 0) before += GROUP;
	}
	if (dots) return dots;
	return zeros ? LONGEST - behind : before;
}

/* All of the table's networks that are longer than that many bits. */
static enum table_answer find_longer(struct table *table,
				     struct rules_match *match,
				     struct lengths *lengths, int bits)
{
	enum table_answer answer = TABLE_ABSENT;

	while (answer == TABLE_ABSENT && lengths->next > bits) {
		struct net_ip network = lengths->ip;
		char text[NET_NETWORK_TEXT];
		unsigned length = (unsigned)lengths->next;

		net_ip_mask(&network, length);
		answer = find_whole(
			table, match, NULL, "",
			net_ip_format_network(&network, length, text));
		next_length(lengths);
	}
	return answer;
}

static enum table_answer find_network(struct table *table,
				      struct rules_match *match, const char *ip)
{
	enum table_answer answer = TABLE_ABSENT;
	struct lengths lengths;

	begin_lengths(table, ip, &lengths);
	for (size_t length = strlen(ip); length > 0; length--) {
		if (ip[length - 1] != '.' && ip[length - 1] != ':') continue;
		if (lengths.next != NO_LENGTH)
			answer = find_longer(table, match, &lengths,
					     bits_of_beginning(ip, length));
		if (answer == TABLE_ABSENT)
			answer = find_key(table, match, NULL, "", ip, length);
		if (answer != TABLE_ABSENT) return answer;
	}
	return find_longer(table, match, &lengths, NO_LENGTH);
}

static enum table_answer find_end(struct table *table,
				  struct rules_match *match, const char *host)
{
	const char *dot = strchr(host, '.');

	for (; dot; dot = strchr(dot + 1, '.')) {
		enum table_answer answer =
			find_whole(table, match, NULL, "=", dot);

		if (answer != TABLE_ABSENT) return answer;
	}
	return TABLE_ABSENT;
}

static enum table_answer climb(struct table *table,
			       const struct rules_client *client,
			       struct rules_match *match)
{
	const char *ip = client->ip, *host = client->host, *info = client->info;
	enum table_answer answer = TABLE_ABSENT;

	if (info && ip) answer = find_whole(table, match, info, "", ip);
	if (answer == TABLE_ABSENT && info && host)
		answer = find_whole(table, match, info, "=", host);
	if (answer == TABLE_ABSENT && ip)
		answer = find_whole(table, match, NULL, "", ip);
	if (answer == TABLE_ABSENT && host)
		answer = find_whole(table, match, NULL, "=", host);
	if (answer == TABLE_ABSENT && ip)
		answer = find_network(table, match, ip);
	if (answer == TABLE_ABSENT && host)
		answer = find_end(table, match, host);
	if (answer == TABLE_ABSENT && host)
		answer = find_whole(table, match, NULL, "=", "");
	if (answer == TABLE_ABSENT)
		answer = find_whole(table, match, NULL, "", "");
	return answer;
}

enum table_answer rules_find(struct table *table,
			     const struct rules_client *client,
			     struct rules_match *match)
{
	enum table_answer answer = climb(table, client, match);

	if (answer != TABLE_FOUND) {
		match->data = NULL;
		match->data_length = 0;
	}
	return answer;
}

/* What a rule says. */

const char *rules_next_item(const char *data, size_t length, size_t *at)
{
	while (*at < length) {
		const char *item = data + *at;
		const char *end = memchr(item, '\0', length - *at);

		*at = end ? (size_t)(end - data) + 1 : length;
		if (end && (*item == 'D' || *item == '+')) return item;
	}
	return NULL;
}

bool rules_deny(const char *data, size_t length)
{
	const char *item;
	size_t at = 0;

	while ((item = rules_next_item(data, length, &at)))
		if (*item == 'D') return true;
	return false;
}
