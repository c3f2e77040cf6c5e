/* SPDX-License-Identifier: ISC */
#include "mail/rules.h"

#include <string.h>

enum { LARGEST_OCTET = 255 };

/* Looking up. */

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
	str_append_text(&match->key, mark);
	str_append(&match->key, text, length);
	return table_find(table, match->key.data, match->key.length,
			  &match->data, &match->data_length);
}

static enum table_answer find_whole(struct table *table,
				    struct rules_match *match, const char *info,
				    const char *mark, const char *text)
{
	return find_key(table, match, info, mark, text, strlen(text));
}

static enum table_answer
find_beginning(struct table *table, struct rules_match *match, const char *ip)
{
	for (size_t length = strlen(ip); length > 0; length--) {
		enum table_answer answer;

		if (ip[length - 1] != '.' && ip[length - 1] != ':') continue;
		answer = find_key(table, match, NULL, "", ip, length);
		if (answer != TABLE_ABSENT) return answer;
	}
	return TABLE_ABSENT;
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
		answer = find_beginning(table, match, ip);
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

/* Reading a line. */

enum instruction { NO_INSTRUCTION, ALLOW, DENY };

/* "allow" or "deny", and then the end or a comma; `*at` goes behind it. */
static enum instruction read_instruction(const char **at, const char *end)
{
	static const struct {
		const char *word;
		size_t length;
		enum instruction meaning;
	} words[] = { { "allow", 5, ALLOW }, { "deny", 4, DENY } };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t length = words[i].length;

		if ((size_t)(end - *at) < length) continue;
		if (memcmp(*at, words[i].word, length) != 0) continue;
		if (*at + length < end && (*at)[length] != ',') continue;
		*at += length;
		return words[i].meaning;
	}
	return NO_INSTRUCTION;
}

/* ",NAME=QvalueQ" as often as it is there, any byte being the quote Q. */
static bool read_variables(const char *at, const char *end, struct str *data)
{
	while (at < end) {
		const char *name = at + 1, *equals, *value, *closing;

		if (*at != ',') return false;
		equals = memchr(name, '=', (size_t)(end - name));
		if (!equals || equals + 1 == end) return false;
		value = equals + 2;
		closing = memchr(value, equals[1], (size_t)(end - value));
		if (!closing) return false;
		str_append_byte(data, '+');
		str_append(data, name, (size_t)(value - 1 - name));
		str_append(data, value, (size_t)(closing - value));
		str_append_byte(data, '\0');
		at = closing + 1;
	}
	return true;
}

/* May these bytes, which hold a colon, be an address? IPv6 text may, or the
   beginning of one, behind the "@" of an INFO. All else with a colon in it is a
   slip ("1.2.3.4:25:deny") and must not become a rule that never matches. */
static bool may_hold_colon(const char *address, size_t length)
{
	const char *at = memchr(address, ':', length), *end = address + length;
	bool dotted = false;

	while (at > address && at[-1] != '@') at--;
	for (; at < end; at++) {
		if (*at == ':' && dotted) return false;
		if (*at == '.') dotted = true;
		if (!*at || !strchr("0123456789abcdefABCDEF:.-", *at))
			return false;
	}
	return true;
}

/* The number up to `end`, at most one more than an octet has; none is 0. */
static bool read_number(const char *at, const char *end, unsigned *number)
{
	*number = 0;
	for (; at < end; at++) {
		if (*at < '0' || *at > '9') return false;
		*number = *number * 10 + (unsigned)(*at - '0');
		if (*number > LARGEST_OCTET) *number = LARGEST_OCTET + 1;
	}
	return true;
}

/* An "=" or "@" means that a dash is part of a name. */
static const char *find_dash(const char *at, const char *end)
{
	const char *dash = NULL;

	for (; at < end && *at != '=' && *at != '@'; at++)
		if (*at == '-' && !dash) dash = at;
	return at == end ? dash : NULL;
}

static bool read_range(struct rules_rule *rule)
{
	const char *address = rule->address;
	const char *end = address + rule->address_length;
	const char *dash = find_dash(address, end);
	const char *first = dash, *dot;

	rule->prefix = rule->rest = rule->address_length;
	rule->next = rule->last = 0;
	if (!dash) return true;
	while (first > address && first[-1] != '.') first--;
	dot = memchr(dash, '.', (size_t)(end - dash));
	if (!dot) dot = end;
	rule->prefix = (size_t)(first - address);
	rule->rest = (size_t)(dot - address);
	if (!read_number(first, dash, &rule->next) ||
	    !read_number(dash + 1, dot, &rule->last))
		return false;
	if (rule->last > LARGEST_OCTET) rule->last = LARGEST_OCTET;
	return true;
}

static enum rules_line malformed(struct rules_rule *rule, const char *mistake)
{
	rule->mistake = mistake;
	return RULES_MALFORMED;
}

static enum rules_line read_rule(const char *line, const char *end,
				 const char *colon, struct rules_rule *rule)
{
	enum instruction instruction = NO_INSTRUCTION;
	const char *first = colon, *at = NULL;

	/* An IPv6 address has colons: the one before the instruction counts. */
	while (colon) {
		at = colon + 1;
		instruction = read_instruction(&at, end);
		if (instruction != NO_INSTRUCTION) break;
		colon = memchr(colon + 1, ':', (size_t)(end - colon - 1));
	}
	if (instruction == NO_INSTRUCTION)
		return malformed(rule, "no allow or deny behind the colon");
	rule->address = line;
	rule->address_length = (size_t)(colon - line);
	if (colon != first && !may_hold_colon(line, rule->address_length))
		return malformed(rule, "no allow or deny behind the colon");
	if (!read_range(rule))
		return malformed(rule, "a range is NUMBER-NUMBER between dots");
	/* It would end a value, and begin an item of what stands behind it. */
	if (memchr(line, '\0', (size_t)(end - line)))
		return malformed(rule, "there is a NUL in it");
	if (instruction == DENY) str_append(&rule->data, "D", sizeof "D");
	if (!read_variables(at, end, &rule->data))
		return malformed(rule, "a variable is ,NAME=\"VALUE\"");
	return RULES_RULE;
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n';
}

enum rules_line rules_parse_line(const char *line, size_t length,
				 struct rules_rule *rule)
{
	const char *colon;

	str_clear(&rule->data);
	str_reserve(&rule->data, 0); /* no data is an empty text, not NULL */
	rule->mistake = NULL;
	while (length > 0 && is_blank(line[length - 1])) length--;
	if (length == 0 || *line == '#') return RULES_NOTHING;
	colon = memchr(line, ':', length);
	if (!colon) return RULES_NO_COLON;
	return read_rule(line, line + length, colon, rule);
}

bool rules_next_key(struct rules_rule *rule, const char **key, size_t *length)
{
	const char *address = rule->address;

	if (rule->next > rule->last) return false;
	*key = address;
	*length = rule->address_length;
	if (rule->prefix < rule->rest) {
		str_clear(&rule->key);
		str_append(&rule->key, address, rule->prefix);
		str_append_number(&rule->key, rule->next);
		str_append(&rule->key, address + rule->rest,
			   rule->address_length - rule->rest);
		*key = rule->key.data;
		*length = rule->key.length;
	}
	rule->next++;
	return true;
}
