/* SPDX-License-Identifier: ISC */
#include "mail/address.h"

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
