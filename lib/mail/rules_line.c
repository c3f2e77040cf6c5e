/* SPDX-License-Identifier: ISC */
#include "mail/rules_line.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

enum { LARGEST_OCTET = 255, OCTETS = 4 };

static const char not_an_instruction[] = "no allow or deny behind the colon";
static const char not_a_variable[] = "a variable is ,NAME=\"VALUE\"";
static const char has_nul[] = "there is a NUL in it";
static const char bad_address[] = "there is no such address";
static const char bad_length[] =
	"a prefix length is a number up to 32, or 128 for IPv6";

/* What is behind the colon. */

/* "allow" or "deny", and then the end or a comma; 0: neither. */
static size_t length_of_instruction(const char *at, const char *end)
{
	static const char *const words[] = { "allow", "deny" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t length = strlen(words[i]);

		if ((size_t)(end - at) < length) continue;
		if (memcmp(at, words[i], length) != 0) continue;
		if (at + length == end || at[length] == ',') return length;
	}
	return 0;
}

/* ",NAME=QvalueQ" as often as it is there, any byte being the quote Q. The data
   is never longer than that. NULL, or what is wrong. */
static const char *read_variables(const char *at, const char *end,
				  struct str *data)
{
	bool nul = false;
	char quote, *to;

	str_reserve(data, (size_t)(end - at));
	to = data->data + data->length;
	while (at < end) {
		if (*at++ != ',') return not_a_variable;
		*to++ = '+';
		for (; at < end && *at != '='; *to++ = *at++) nul |= !*at;
		if (end - at < 2) return not_a_variable;
		*to++ = *at++;
		quote = *at++;
		nul |= !quote;
		for (; at < end && *at != quote; *to++ = *at++) nul |= !*at;
		if (at++ == end) return not_a_variable;
		*to++ = '\0';
	}
	*to = '\0';
	data->length = (size_t)(to - data->data);
	/* It would end a value, and begin an item of what stands behind it. */
	return nul ? has_nul : NULL;
}

/* Most lines of a long file say the same as the one before. */
static bool is_as_before(const struct rules_rule *rule, const char *at,
			 const char *end)
{
	size_t length = (size_t)(end - at);

	return length > 0 && length == rule->instruction.length &&
	       memcmp(at, rule->instruction.data, length) == 0;
}

/* NULL, or what is wrong. */
static const char *read_instruction(struct rules_rule *rule, const char *at,
				    const char *end)
{
	const char *mistake;
	size_t word;

	if (is_as_before(rule, at, end)) return NULL;
	str_clear(&rule->instruction);
	str_clear(&rule->data);
	str_reserve(&rule->data, 0); /* no data is an empty text, not NULL */
	word = length_of_instruction(at, end);
	if (!word) return not_an_instruction;
	if (*at == 'd') str_append(&rule->data, "D", sizeof "D");
	mistake = read_variables(at + word, end, &rule->data);
	if (mistake) return mistake;
	str_append(&rule->instruction, at, (size_t)(end - at));
	return NULL;
}

/* IPv4 addresses. */

struct octets {
	unsigned char bytes[OCTETS];
	size_t count;
	bool dot; /* behind the last one */
};

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* Numbers as a client's address has them, with dots between; gives where they
   end. */
static const char *read_octets(const char *at, const char *end,
			       struct octets *octets)
{
	*octets = (struct octets){ .dot = true };
	while (octets->count < OCTETS && octets->dot) {
		const char *first = at;
		unsigned number = 0;

		for (; at < end && is_digit(*at) && at - first < 3; at++)
			number = number * 10 + (unsigned)(*at - '0');
		if (at == first || number > LARGEST_OCTET ||
		    (*first == '0' && at - first > 1))
			return first;
		octets->bytes[octets->count++] = (unsigned char)number;
		octets->dot = at < end && *at == '.';
		if (octets->dot) at++;
	}
	return at;
}

/* A whole address, or the beginning of one. */
static bool are_looked_up(const struct octets *octets)
{
	return octets->count > 0 && octets->dot == (octets->count < OCTETS);
}

/* Keys that nobody looks up. */

/* A key without a colon and an "@", which begins with no "=". */
static const char *judge_plain(const char *at, size_t length)
{
	const char *end = at + length, *stop;
	struct octets octets;

	if (length == 0) return NULL;
	if (*at == ' ' || *at == '\t')
		return "is never looked up, a blank before the address is a "
		       "part of it";
	stop = read_octets(at, end, &octets);
	if (stop == end && are_looked_up(&octets)) return NULL;
	if (stop == end && octets.count == OCTETS)
		return "is never looked up, a whole address has no dot behind "
		       "it";
	if (stop == end && octets.count > 0)
		return "is never looked up, the beginning of an address ends "
		       "in a dot";
	if (memchr(stop, '-', (size_t)(end - stop)))
		return "is never looked up, only the first range of an "
		       "address is one";
	return "is never looked up, no address has this form";
}

/* What the resolver lets into TCPREMOTEHOST. */
static bool is_host_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || is_digit(byte) || byte == '-' ||
	       byte == '_' || byte == '.';
}

static const char *judge_host(const char *at, const char *end)
{
	char before = '\0';

	if (end > at && end[-1] == '.')
		return "is never looked up, host names have no dot behind them";
	for (; at < end; before = *at++) {
		if (*at >= 'A' && *at <= 'Z')
			return "is never looked up, host names are in lower "
			       "case";
		if (!is_host_byte(*at) || (*at == '.' && before == '.'))
			return "is never looked up, no host has this name";
	}
	return NULL;
}

/* A client's ident answer has no blanks. */
static const char *judge_info(const char *at, const char *end)
{
	for (; at < end; at++)
		if (*at == ' ' || *at == '\t')
			return "is never looked up, what is before the @ has "
			       "no blanks";
	return NULL;
}

/* Is it a beginning, as far as a colon, of some address's text? Where it is,
   one of few ways of going on shows it: with no zeros, or with more of them
   than before. */
static bool begins_version_6(const char *text, size_t length)
{
	static const char *const ways[] = {
		"1:1:1:1:1:1:1", "1:1:1:1:1:1", "1:1:1:1:1", "1:1:1:1", "1:1:1",
		"1:1",           "1",           ":1",        "1::",
	};
	enum { LONGEST_WAY = 16 };
	char whole[NET_IP_TEXT + LONGEST_WAY], formatted[NET_IP_TEXT];

	if (length == 0 || length > NET_IP_TEXT || text[length - 1] != ':')
		return false;
	memcpy(whole, text, length);
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		struct net_ip ip;

		memcpy(whole + length, ways[i], strlen(ways[i]) + 1);
		if (net_ip_parse(whole, &ip) < 0) continue;
		if (strncmp(net_ip_format(&ip, formatted), text, length) == 0)
			return true;
	}
	return false;
}

/* Addresses that get a key of their own. */

static void set_key(struct rules_rule *rule, const char *info, size_t length,
		    const char *text)
{
	str_clear(&rule->key);
	str_append(&rule->key, info, length);
	str_append_text(&rule->key, text);
	rule->address = rule->key.data;
	rule->address_length = rule->key.length;
}

/* Older programs find a network of whole octets too. A host whose text ends in
   "::" is a network of one, since as text it would be a beginning. */
static void set_network(struct rules_rule *rule, const struct net_ip *ip,
			unsigned length)
{
	char text[NET_NETWORK_TEXT], *end = text;

	net_ip_format(ip, text);
	if (length == net_ip_bits(ip->family) &&
	    text[strlen(text) - 1] != ':') {
		set_key(rule, "", 0, text);
		return;
	}
	if (ip->family == NET_IPV4 && length > 0 && length % 8 == 0) {
		for (; length > 0; length -= 8) end = strchr(end, '.') + 1;
		*end = '\0';
		set_key(rule, "", 0, text);
		return;
	}
	set_key(rule, "", 0, net_ip_format_network(ip, length, text));
	rule->family = ip->family;
	rule->prefix_length = length;
}

/* An address may leave out the octets that its prefix length does not reach:
   10.16/12. Gives the most that the length may be, or -1. */
static int read_network_address(const char *at, const char *end,
				struct net_ip *ip)
{
	char text[NET_IP_TEXT];
	struct octets octets;
	size_t length = (size_t)(end - at);

	if (memchr(at, ':', length)) {
		if (length >= sizeof text || memchr(at, '\0', length))
			return -1;
		memcpy(text, at, length);
		text[length] = '\0';
		return net_ip_parse(text, ip) < 0 ? -1 : 128;
	}
	if (read_octets(at, end, &octets) != end || octets.count == 0 ||
	    (octets.count == OCTETS && octets.dot))
		return -1;
	*ip = (struct net_ip){ .family = NET_IPV4 };
	memcpy(ip->bytes, octets.bytes, OCTETS);
	return 8 * (int)octets.count;
}

/* The digits behind the slash; more than three are too many anyway. */
static int read_prefix_length(const char *at, const char *end)
{
	int length = 0;

	if (at == end || end - at > 3 || (*at == '0' && end - at > 1))
		return -1;
	for (; at < end; at++) {
		if (!is_digit(*at)) return -1;
		length = length * 10 + (*at - '0');
	}
	return length;
}

static bool strip_brackets(const char **at, const char **end)
{
	if (*at == *end || **at != '[') return true;
	if (*end - *at < 2 || (*end)[-1] != ']') return false;
	(*at)++;
	(*end)--;
	return true;
}

/* ADDRESS/LENGTH, [ADDRESS]/LENGTH or [ADDRESS]. NULL, or what is wrong. */
static const char *read_network(struct rules_rule *rule, const char *at,
				const char *end)
{
	const char *slash = memchr(at, '/', (size_t)(end - at));
	const char *stop = slash ? slash : end;
	struct net_ip ip;
	int most, length, bits;

	if (!strip_brackets(&at, &stop)) return bad_address;
	most = read_network_address(at, stop, &ip);
	if (most < 0) return bad_address;
	bits = (int)net_ip_bits(ip.family);
	if (!slash && most < bits) return bad_address;
	length = slash ? read_prefix_length(slash + 1, end) : most;
	if (length >= 0 && length > most && most < bits)
		return "its prefix length goes beyond the address";
	if (length < 0 || length > most) return bad_length;
	/* What is left of 128 is that of the IPv4 address in an IPv6 one. */
	if (most > bits) length -= most - bits;
	if (length < 0)
		return "an IPv4 address in an IPv6 one has a prefix length of "
		       "96 or more";
	if (net_ip_mask(&ip, (unsigned)length))
		rule->remark = "has bits behind its prefix length, taken as 0";
	set_network(rule, &ip, (unsigned)length);
	return NULL;
}

/* Any address, whole: it becomes the text that tcpserver has for it. */
static bool read_whole_address(struct rules_rule *rule, const char *info,
			       const char *at, const char *end)
{
	size_t info_length = (size_t)(at - info);
	char text[NET_IP_TEXT];
	struct net_ip ip;

	if (!strip_brackets(&at, &end)) return false;
	if ((size_t)(end - at) >= sizeof text) return false;
	memcpy(text, at, (size_t)(end - at));
	text[end - at] = '\0';
	if (net_ip_parse(text, &ip) < 0) return false;
	set_key(rule, info, info_length, net_ip_format(&ip, text));
	return true;
}

/* Ranges. */

/* The number up to `end`, at most one more than an octet has; none is 0. */
static bool read_number(const char *at, const char *end, unsigned *number)
{
	*number = 0;
	for (; at < end; at++) {
		if (!is_digit(*at)) return false;
		*number = *number * 10 + (unsigned)(*at - '0');
		if (*number > LARGEST_OCTET) *number = LARGEST_OCTET + 1;
	}
	return true;
}

static const char *read_range(struct rules_rule *rule, const char *dash)
{
	const char *address = rule->address;
	const char *end = address + rule->address_length;
	const char *first = dash;
	const char *dot = memchr(dash, '.', (size_t)(end - dash));

	while (first > address && first[-1] != '.') first--;
	if (!dot) dot = end;
	rule->front = (size_t)(first - address);
	rule->rest = (size_t)(dot - address);
	if (!read_number(first, dash, &rule->next) ||
	    !read_number(dash + 1, dot, &rule->last))
		return "a range is NUMBER-NUMBER between dots";
	if (rule->last > LARGEST_OCTET) rule->last = LARGEST_OCTET;
	return NULL;
}

static void build_key(struct rules_rule *rule)
{
	str_clear(&rule->key);
	str_append(&rule->key, rule->address, rule->front);
	str_append_number(&rule->key, rule->next);
	str_append(&rule->key, rule->address + rule->rest,
		   rule->address_length - rule->rest);
}

/* All other addresses. */

/* What stands behind INFO@ is looked up whole only. */
static const char not_whole[] = "is never looked up, behind an @ stands a "
				"whole address or =HOST";

static void judge_behind_info(struct rules_rule *rule, const char *at)
{
	const char *end = rule->address + rule->address_length;
	const char *info_end = at - 1;
	struct octets octets;

	rule->remark = judge_info(rule->address, info_end);
	if (rule->remark) return;
	if (at < end && *at == '=') {
		at++;
		rule->remark = at == end || *at == '.' ? not_whole
						       : judge_host(at, end);
	} else if (memchr(at, ':', (size_t)(end - at)) ||
		   memchr(at, '[', (size_t)(end - at))) {
		if (!read_whole_address(rule, rule->address, at, end))
			rule->remark = not_whole;
	} else if (read_octets(at, end, &octets) != end ||
		   octets.count < OCTETS || octets.dot) {
		rule->remark = not_whole;
	}
}

static const char *read_plain(struct rules_rule *rule)
{
	const char *at = rule->address, *dash, *mistake;
	size_t length = rule->address_length;

	dash = memchr(at, '=', length) ? NULL : memchr(at, '-', length);
	if (!dash) {
		rule->remark = judge_plain(at, length);
		return NULL;
	}
	mistake = read_range(rule, dash);
	if (mistake) return mistake;
	if (rule->next > rule->last) {
		rule->remark = "stands for no address, its range is empty";
		return NULL;
	}
	build_key(rule);
	rule->remark = judge_plain(rule->key.data, rule->key.length);
	return NULL;
}

static const char *read_version_6(struct rules_rule *rule)
{
	const char *at = rule->address;
	size_t length = rule->address_length;

	if (read_whole_address(rule, at, at, at + length)) return NULL;
	if (memchr(at, '-', length)) return read_plain(rule);
	if (!begins_version_6(at, length))
		rule->remark = "is never looked up, no address's text (RFC "
			       "5952) is so or begins so";
	return NULL;
}

/* NULL, or what is wrong with it. */
static const char *read_address(struct rules_rule *rule)
{
	const char *at = rule->address, *end = at + rule->address_length;
	const char *info_end = memrchr(at, '@', rule->address_length);

	if (memchr(at, '\0', rule->address_length)) return has_nul;
	if (info_end) {
		judge_behind_info(rule, info_end + 1);
		return NULL;
	}
	if (at < end && *at == '=') {
		rule->remark = judge_host(at + 1, end);
		return NULL;
	}
	if (at < end && (*at == '[' || memchr(at, '/', rule->address_length)))
		return read_network(rule, at, end);
	if (memchr(at, ':', rule->address_length)) return read_version_6(rule);
	return read_plain(rule);
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
		if (!*at || !strchr("0123456789abcdefABCDEF:.-/[]", *at))
			return false;
	}
	return true;
}

static enum rules_line malformed(struct rules_rule *rule, const char *mistake)
{
	rule->mistake = mistake;
	/* It may have been left half made. */
	str_clear(&rule->instruction);
	return RULES_MALFORMED;
}

static enum rules_line read_rule(const char *line, const char *end,
				 const char *colon, struct rules_rule *rule)
{
	const char *first = colon, *mistake;

	/* An IPv6 address has colons: the one before the instruction counts. */
	while (colon && !length_of_instruction(colon + 1, end))
		colon = memchr(colon + 1, ':', (size_t)(end - colon - 1));
	if (!colon ||
	    (colon != first && !may_hold_colon(line, (size_t)(colon - line))))
		return malformed(rule, not_an_instruction);
	rule->address = line;
	rule->address_length = rule->front = rule->rest =
		(size_t)(colon - line);
	mistake = read_address(rule);
	if (!mistake) mistake = read_instruction(rule, colon + 1, end);
	return mistake ? malformed(rule, mistake) : RULES_RULE;
}

/* Nearly all lines of a long file are IPv4 addresses, beginnings of them or
   networks whose keys are parts of the line. */

/* Gives the colon, or NULL when it is not so. */
static const char *read_common_network(struct rules_rule *rule,
				       const struct octets *octets,
				       const char *line, const char *slash,
				       const char *end)
{
	const char *colon = slash + 1, *key_end = line;
	uint32_t bits;
	int length;

	while (colon < end && is_digit(*colon) && colon - slash < 3) colon++;
	if (colon == end || *colon != ':') return NULL;
	length = read_prefix_length(slash + 1, colon);
	memcpy(&bits, octets->bytes, sizeof bits);
	if (octets->count < OCTETS || octets->dot || length < 0 ||
	    length > 32 || (length < 32 && be32toh(bits) << length))
		return NULL;
	if (length == 32) {
		key_end = slash;
	} else if (length % 8 == 0 && length > 0) {
		for (; length > 0; key_end++)
			if (*key_end == '.') length -= 8;
	} else {
		key_end = colon;
		rule->family = NET_IPV4;
		rule->prefix_length = (unsigned)length;
	}
	rule->address_length = (size_t)(key_end - line);
	return colon;
}

static bool read_common_rule(const char *line, const char *end,
			     struct rules_rule *rule)
{
	struct octets octets;
	const char *stop = read_octets(line, end, &octets);

	rule->address_length = (size_t)(stop - line);
	if (stop == end) return false;
	if (*stop == '/')
		stop = read_common_network(rule, &octets, line, stop, end);
	else if (*stop != ':' || !are_looked_up(&octets)) return false;
	rule->address = line;
	rule->front = rule->rest = rule->address_length;
	return stop && !read_instruction(rule, stop + 1, end);
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n';
}

enum rules_line rules_parse_line(const char *line, size_t length,
				 struct rules_rule *rule)
{
	const char *colon;

	rule->mistake = rule->remark = NULL;
	rule->family = NET_NONE;
	rule->next = rule->last = 0;
	while (length > 0 && is_blank(line[length - 1])) length--;
	if (length == 0 || *line == '#') return RULES_NOTHING;
	if (read_common_rule(line, line + length, rule)) return RULES_RULE;
	colon = memchr(line, ':', length);
	if (!colon) return RULES_NO_COLON;
	return read_rule(line, line + length, colon, rule);
}

bool rules_next_key(struct rules_rule *rule, const char **key, size_t *length)
{
	if (rule->next > rule->last) return false;
	*key = rule->address;
	*length = rule->address_length;
	if (rule->front < rule->rest) {
		build_key(rule);
		*key = rule->key.data;
		*length = rule->key.length;
	}
	rule->next++;
	return true;
}

/* The lengths of networks. */

static const char families[] = { '4', '6' };

void rules_note_length(struct rules_lengths *lengths,
		       const struct rules_rule *rule)
{
	if (rule->family != NET_NONE)
		lengths->has[rule->family == NET_IPV6][rule->prefix_length] =
			true;
}

bool rules_list_lengths(const struct rules_lengths *lengths, struct str *data)
{
	for (size_t i = 0; i < sizeof families; i++) {
		bool any = false;

		for (int length = 128; length >= 0; length--) {
			if (!lengths->has[i][length]) continue;
			if (!any) str_append_byte(data, families[i]);
			any = true;
			str_append_byte(data, ' ');
			str_append_number(data, (unsigned long)length);
		}
		if (any) str_append_byte(data, '\0');
	}
	return data->length > 0;
}
