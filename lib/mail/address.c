/* SPDX-License-Identifier: ISC */
#include "mail/address.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const char ipv6_tag[] = "IPv6:";

/* The address's first byte, or NULL; the byte that ends it. */
static const char *find_start(const char *argument, char *terminator)
{
	const char *at = strchr(argument, '<');

	if (at) {
		*terminator = '>';
		return at + 1;
	}
	*terminator = ' ';
	at = strchr(argument, ':');
	return at ? at + 1 + strspn(at + 1, " ") : NULL;
}

static const char *skip_source_route(const char *at)
{
	const char *end;

	if (*at != '@') return at;
	end = strchr(at, ':');
	return end ? end + 1 : at + strlen(at);
}

static bool is_control_byte(char byte)
{
	return (unsigned char)byte < 32 || byte == 127;
}

int address_parse(const char *argument, struct str *address,
		  const char **parameters)
{
	char terminator;
	const char *at = find_start(argument, &terminator);
	bool quoted = false;

	str_clear(address);
	str_reserve(address, 0);
	if (!at) return -1;
	for (at = skip_source_route(at); *at; at++) {
		if (*at == '"') {
			quoted = !quoted;
			continue;
		}
		if (*at == terminator && !quoted) break;
		if (*at == '\\' && !*++at) break;
		if (is_control_byte(*at)) return -1;
		if (address->length + 1 == ADDRESS_LIMIT) return -1;
		str_append_byte(address, *at);
	}
	*parameters = *at ? at + 1 : at;
	return 0;
}

/* As a domain or an address literal has them; names beyond ASCII, too. */
static bool is_domain_byte(char byte)
{
	return (unsigned char)byte >= 128 || isalnum((unsigned char)byte) ||
	       (byte && strchr("-._[]:", byte));
}

/* An atom's, RFC 5322 section 3.2.3, and RFC 6531's. */
static bool is_atom_byte(char byte)
{
	return (unsigned char)byte >= 128 || isalnum((unsigned char)byte) ||
	       (byte && strchr("!#$%&'*+-/=?^_`{|}~", byte));
}

/* RFC 5321 section 4.1.2. */
static bool is_dot_string(const char *local, size_t length)
{
	bool after_dot = true;

	for (size_t i = 0; i < length; i++) {
		bool is_dot = local[i] == '.';

		if (is_dot ? after_dot : !is_atom_byte(local[i])) return false;
		after_dot = is_dot;
	}
	return !after_dot;
}

static bool is_writable(const char *local, size_t length, const char *domain)
{
	for (size_t i = 0; i < length; i++)
		if (is_control_byte(local[i])) return false;
	if (!domain) return true;
	for (size_t i = 0; domain[i]; i++)
		if (!is_domain_byte(domain[i])) return false;
	return *domain;
}

static void write_quoted(struct str *into, const char *local, size_t length)
{
	str_append_byte(into, '"');
	for (size_t i = 0; i < length; i++) {
		if (local[i] == '"' || local[i] == '\\')
			str_append_byte(into, '\\');
		str_append_byte(into, local[i]);
	}
	str_append_byte(into, '"');
}

int address_write(struct str *into, const char *address)
{
	const char *domain = address_domain(address);
	size_t length =
		domain ? (size_t)(domain - 1 - address) : strlen(address);

	if (!*address) return 0;
	if (!is_writable(address, length, domain)) return -1;
	if (is_dot_string(address, length)) str_append(into, address, length);
	else write_quoted(into, address, length);
	str_append_text(into, address + length);
	return 0;
}

const char *address_domain(const char *address)
{
	const char *at = strrchr(address, '@');

	return at ? at + 1 : NULL;
}

int address_literal(const char *domain, struct net_ip *ip)
{
	size_t length = strlen(domain), tag = sizeof ipv6_tag - 1;
	char text[NET_IP_TEXT];
	bool version_6;

	if (length < 2 || *domain != '[' || domain[length - 1] != ']')
		return -1;
	domain++;
	length -= 2;
	version_6 = length >= tag && strncasecmp(domain, ipv6_tag, tag) == 0;
	if (version_6) {
		domain += tag;
		length -= tag;
	}
	if (length >= sizeof text) return -1;
	memcpy(text, domain, length);
	text[length] = '\0';
	/* Only version 6 text has colons, and only that one has the tag. */
	if ((strchr(text, ':') != NULL) != version_6) return -1;
	return net_ip_parse(text, ip);
}
