/* SPDX-License-Identifier: ISC */
#include "mail/spf_record.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/parse.h"

enum argument { FORBIDDEN, OPTIONAL, REQUIRED };

static const struct mechanism {
	const char *name;
	enum spf_word word;
	enum argument domain;
	enum argument prefix;
} mechanisms[] = {
	{ "all", SPF_ALL, FORBIDDEN, FORBIDDEN },
	{ "include", SPF_INCLUDE, REQUIRED, FORBIDDEN },
	{ "a", SPF_A, OPTIONAL, OPTIONAL },
	{ "mx", SPF_MX, OPTIONAL, OPTIONAL },
	{ "ptr", SPF_PTR, OPTIONAL, FORBIDDEN },
	{ "ip4", SPF_IP4, REQUIRED, OPTIONAL },
	{ "ip6", SPF_IP6, REQUIRED, OPTIONAL },
	{ "exists", SPF_EXISTS, REQUIRED, FORBIDDEN },
};

/* Bytes. */

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_name_byte(char byte)
{
	return is_letter(byte) || is_digit(byte) ||
	       (byte && strchr("-_.", byte));
}

static void skip(struct spf_text *text, size_t length)
{
	text->at += length;
	text->length -= length;
}

/* How long the name is that the text begins with; 0 for none. */
static size_t name_length(struct spf_text text)
{
	size_t length = 0;

	if (text.length == 0 || !is_letter(*text.at)) return 0;
	while (length < text.length && is_name_byte(text.at[length])) length++;
	return length;
}

/* Prefixes. */

/* Takes "/24" off the end of the text, with so many slashes. False: there is a
   number, but it is no prefix. */
static bool take_prefix(struct spf_text *text, const char *slashes,
			unsigned most, unsigned *prefix)
{
	size_t start = text->length, count = strlen(slashes), digits;
	unsigned value = 0;

	while (start > 0 && is_digit(text->at[start - 1])) start--;
	digits = text->length - start;
	if (digits == 0 || start < count ||
	    memcmp(text->at + start - count, slashes, count) != 0)
		return true;
	if (digits > 3 || (digits > 1 && text->at[start] == '0')) return false;
	for (size_t i = start; i < text->length; i++)
		value = value * 10 + (unsigned)(text->at[i] - '0');
	text->length = start - count;
	*prefix = value;
	return value <= most;
}

/* "/24", "//64" or "/24//64" */
static bool take_prefixes(struct spf_text *text, struct spf_term *term)
{
	return take_prefix(text, "//", 128, &term->prefix_6) &&
	       take_prefix(text, "/", 32, &term->prefix_4);
}

/* Addresses. */

/* Not by net_ip_parse: ::ffff:192.0.2.1 is of IPv6 here. */
static bool read_address(struct spf_text text, struct spf_term *term)
{
	char room[NET_IP_TEXT];
	int family = term->word == SPF_IP4 ? AF_INET : AF_INET6;

	if (text.length >= sizeof room || memchr(text.at, '\0', text.length))
		return false;
	memcpy(room, text.at, text.length);
	room[text.length] = '\0';
	term->network.family = term->word == SPF_IP4 ? NET_IPV4 : NET_IPV6;
	return inet_pton(family, room, term->network.bytes) == 1;
}

static bool read_network(struct spf_text text, struct spf_term *term)
{
	bool is_4 = term->word == SPF_IP4;
	unsigned *prefix = is_4 ? &term->prefix_4 : &term->prefix_6;

	if (!take_prefix(&text, "/", is_4 ? 32 : 128, prefix) ||
	    !read_address(text, term))
		return false;
	net_ip_mask(&term->network, *prefix);
	return true;
}

bool spf_record_network_has(const struct net_ip *network, unsigned prefix,
			    const struct net_ip *ip)
{
	struct net_ip of_ip = *ip, masked = *network;

	if (ip->family != network->family) return false;
	net_ip_mask(&of_ip, prefix);
	net_ip_mask(&masked, prefix);
	return net_ip_equal(&of_ip, &masked);
}

/* Terms. */

static const struct mechanism *find_mechanism(struct spf_text name)
{
	size_t count = sizeof mechanisms / sizeof *mechanisms;

	for (size_t i = 0; i < count; i++)
		if (parse_same_word(name.at, name.length, mechanisms[i].name))
			return &mechanisms[i];
	return NULL;
}

/* What stands behind the name of one that takes a domain, or none. */
static bool read_target(const struct mechanism *mechanism, struct spf_text rest,
			struct spf_term *term)
{
	if (mechanism->prefix != FORBIDDEN && !take_prefixes(&rest, term))
		return false;
	if (rest.length == 0) return mechanism->domain != REQUIRED;
	if (mechanism->domain == FORBIDDEN || *rest.at != ':') return false;
	skip(&rest, 1);
	term->target = rest;
	return spf_macro_is_domain(rest);
}

static bool is_mechanism_name(struct spf_text name)
{
	return name.length > 0 && name_length(name) == name.length;
}

static enum spf_reading read_mechanism(struct spf_text rest,
				       struct spf_term *term)
{
	const struct mechanism *mechanism;
	struct spf_text name = rest;

	if (*rest.at && strchr("+-~?", *rest.at)) {
		term->qualifier = *rest.at;
		skip(&rest, 1);
		name = rest;
	}
	name.length = 0;
	while (name.length < rest.length && rest.at[name.length] != ':' &&
	       rest.at[name.length] != '/')
		name.length++;
	skip(&rest, name.length);
	mechanism = find_mechanism(name);
	if (!mechanism)
		return is_mechanism_name(name) ? SPF_UNKNOWN : SPF_MISTAKE;
	term->word = mechanism->word;
	if (term->word != SPF_IP4 && term->word != SPF_IP6)
		return read_target(mechanism, rest, term) ? SPF_TERM
							  : SPF_MISTAKE;
	if (rest.length == 0 || *rest.at != ':') return SPF_MISTAKE;
	skip(&rest, 1);
	return read_network(rest, term) ? SPF_TERM : SPF_MISTAKE;
}

static enum spf_reading read_modifier(struct spf_text name,
				      struct spf_text value,
				      struct spf_term *term)
{
	term->word = SPF_OTHER_MODIFIER;
	if (parse_same_word(name.at, name.length, "redirect"))
		term->word = SPF_REDIRECT;
	if (parse_same_word(name.at, name.length, "exp")) term->word = SPF_EXP;
	term->target = value;
	if (term->word == SPF_OTHER_MODIFIER)
		return spf_macro_is_string(value, SPF_IN_MODIFIERS)
			       ? SPF_TERM
			       : SPF_MISTAKE;
	return spf_macro_is_domain(value) ? SPF_TERM : SPF_MISTAKE;
}

enum spf_reading spf_record_next(struct spf_text *terms, struct spf_term *term)
{
	struct spf_text text, name, value;

	*term = (struct spf_term){ .qualifier = '+',
				   .prefix_4 = 32,
				   .prefix_6 = 128 };
	while (terms->length > 0 && *terms->at == ' ') skip(terms, 1);
	if (terms->length == 0) return SPF_END;
	text = (struct spf_text){ .at = terms->at };
	while (text.length < terms->length && text.at[text.length] != ' ')
		text.length++;
	skip(terms, text.length);
	term->text = text;
	name = value = text;
	name.length = name_length(text);
	if (name.length == 0 || name.length == text.length ||
	    text.at[name.length] != '=')
		return read_mechanism(text, term);
	skip(&value, name.length + 1);
	return read_modifier(name, value, term);
}

/* Records. */

bool spf_record_begins(struct spf_text record, struct spf_text *terms)
{
	static const char version[] = "v=spf1";
	enum { LENGTH = sizeof version - 1 };

	if (record.length < LENGTH ||
	    !parse_same_word(record.at, LENGTH, version))
		return false;
	if (record.length > LENGTH && record.at[LENGTH] != ' ') return false;
	*terms = record;
	skip(terms, LENGTH);
	return true;
}

/* A run of mechanisms with the same qualifier. */
struct run {
	char qualifier;
	const char *start;
	bool is_first;
};

static void note_mechanism(struct spf_record *record, struct run *run,
			   const struct spf_term *term)
{
	if (record->has_all) return;
	if (term->qualifier != run->qualifier) {
		run->is_first = run->start == NULL;
		run->start = term->text.at;
		run->qualifier = term->qualifier;
	}
	if (term->word != SPF_ALL) return;
	record->has_all = true;
	if (!run->is_first && run->qualifier != '+')
		record->local_at = run->start;
}

/* False: it is the second one. */
static bool note_modifier(struct spf_record *record,
			  const struct spf_term *term)
{
	struct spf_text *place =
		term->word == SPF_REDIRECT ? &record->redirect : &record->exp;

	if (term->word == SPF_OTHER_MODIFIER) return true;
	if (place->length > 0) return false;
	*place = term->target;
	return true;
}

enum spf_reading spf_record_read(struct spf_record *record,
				 struct spf_text terms, struct spf_text *wrong)
{
	struct run run = { 0 };
	struct spf_term term;
	enum spf_reading reading;
	unsigned count = 0;

	*record = (struct spf_record){ .terms = terms };
	*wrong = (struct spf_text){ 0 };
	if (terms.length > SPF_RECORD) return SPF_MISTAKE;
	while ((reading = spf_record_next(&terms, &term)) == SPF_TERM) {
		if (++count > SPF_RECORD_TERMS) return SPF_MISTAKE;
		if (term.word < SPF_REDIRECT) {
			note_mechanism(record, &run, &term);
		} else if (!note_modifier(record, &term)) {
			reading = SPF_MISTAKE;
			break;
		}
	}
	*wrong = term.text;
	return reading;
}
