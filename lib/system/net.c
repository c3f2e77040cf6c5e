/* SPDX-License-Identifier: ISC */
#include "system/net.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

static const unsigned char mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

static void from_version_6(const unsigned char bytes[16], struct net_ip *ip)
{
	*ip = (struct net_ip){ 0 };
	if (memcmp(bytes, mapped_prefix, sizeof mapped_prefix) == 0) {
		ip->family = NET_IPV4;
		memcpy(ip->bytes, bytes + sizeof mapped_prefix, 4);
	} else {
		ip->family = NET_IPV6;
		memcpy(ip->bytes, bytes, 16);
	}
}

int net_ip_parse(const char *text, struct net_ip *ip)
{
	unsigned char bytes[16];

	*ip = (struct net_ip){ 0 };
	if (inet_pton(AF_INET, text, ip->bytes) == 1) {
		ip->family = NET_IPV4;
		return 0;
	}
	if (inet_pton(AF_INET6, text, bytes) != 1) return -1;
	from_version_6(bytes, ip);
	return 0;
}

enum { GROUPS = 8 };

static unsigned group_of(const unsigned char bytes[16], size_t i)
{
	return (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1];
}

/* The first of the longest rows of zero groups; a single one is no row. */
static size_t longest_zeros(const unsigned char bytes[16], size_t *count)
{
	size_t first = 0, row = 0;

	*count = 0;
	for (size_t i = 0; i < GROUPS; i++) {
		row = group_of(bytes, i) ? 0 : row + 1;
		if (row < 2 || row <= *count) continue;
		*count = row;
		first = i + 1 - row;
	}
	return first;
}

/* Rules are found by this text, so it must not depend on the libc: musl's
   inet_ntop prefers a later row of zeros, glibc's writes ::1:1 as ::0.1.0.1. */
static void format_version_6(const unsigned char bytes[16],
			     char text[NET_IP_TEXT])
{
	size_t zeros, first = longest_zeros(bytes, &zeros), used = 0, i = 0;
	const char *separator = "";

	while (i < GROUPS) {
		size_t room = NET_IP_TEXT - used;

		if (zeros && i == first) {
			used += (size_t)snprintf(text + used, room, "::");
			separator = "";
			i += zeros;
			continue;
		}
		used += (size_t)snprintf(text + used, room, "%s%x", separator,
					 group_of(bytes, i));
		separator = ":";
		i++;
	}
}

const char *net_ip_format(const struct net_ip *ip, char text[NET_IP_TEXT])
{
	switch (ip->family) {
	case NET_IPV4:
		snprintf(text, NET_IP_TEXT, "%u.%u.%u.%u", ip->bytes[0],
			 ip->bytes[1], ip->bytes[2], ip->bytes[3]);
		break;
	case NET_IPV6: format_version_6(ip->bytes, text); break;
	case NET_NONE: memcpy(text, "unknown", sizeof "unknown"); break;
	}
	return text;
}

bool net_ip_equal(const struct net_ip *a, const struct net_ip *b)
{
	return a->family == b->family &&
	       memcmp(a->bytes, b->bytes, a->family == NET_IPV4 ? 4 : 16) == 0;
}

bool net_ip_is_loopback(const struct net_ip *ip)
{
	static const unsigned char loopback_6[16] = { [15] = 1 };

	if (ip->family == NET_IPV4) return ip->bytes[0] == 127;
	return ip->family == NET_IPV6 &&
	       memcmp(ip->bytes, loopback_6, sizeof loopback_6) == 0;
}

void net_ip_of_socket(const struct sockaddr_storage *socket, struct net_ip *ip,
		      unsigned *port)
{
	*ip = (struct net_ip){ 0 };
	*port = 0;
	if (socket->ss_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, socket, sizeof in);
		ip->family = NET_IPV4;
		memcpy(ip->bytes, &in.sin_addr, 4);
		*port = ntohs(in.sin_port);
	} else if (socket->ss_family == AF_INET6) {
		struct sockaddr_in6 in;

		memcpy(&in, socket, sizeof in);
		from_version_6(in.sin6_addr.s6_addr, ip);
		*port = ntohs(in.sin6_port);
	}
}

int net_port_parse(const char *text, unsigned *port)
{
	unsigned long number;
	struct servent *service;

	if (parse_number(text, 0, 65535, &number) == 0) {
		*port = (unsigned)number;
		return 0;
	}
	if (*text >= '0' && *text <= '9') return -1;
	service = getservbyname(text, "tcp");
	if (!service) return -1;
	*port = ntohs((unsigned short)service->s_port);
	return 0;
}

int net_ip_is_local(const struct net_ip *ip)
{
	struct ifaddrs *interfaces, *at;
	int found = 0;

	if (getifaddrs(&interfaces) < 0) return -1;
	for (at = interfaces; at && !found; at = at->ifa_next) {
		struct sockaddr_storage address = { 0 };
		struct net_ip own;
		unsigned port;

		if (!at->ifa_addr) continue;
		if (at->ifa_addr->sa_family == AF_INET)
			memcpy(&address, at->ifa_addr,
			       sizeof(struct sockaddr_in));
		else if (at->ifa_addr->sa_family == AF_INET6)
			memcpy(&address, at->ifa_addr,
			       sizeof(struct sockaddr_in6));
		else continue;
		net_ip_of_socket(&address, &own, &port);
		found = net_ip_equal(&own, ip);
	}
	freeifaddrs(interfaces);
	return found;
}
