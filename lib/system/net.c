/* SPDX-License-Identifier: ISC */
#include "system/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "system/file.h"

void net_ip_of_bytes(const unsigned char *bytes, enum net_family family,
		     struct net_ip *ip)
{
	static const unsigned char mapped_prefix[12] = {
		[10] = 0xff, [11] = 0xff
	};

	if (family == NET_IPV6 &&
	    memcmp(bytes, mapped_prefix, sizeof mapped_prefix) == 0) {
		family = NET_IPV4;
		bytes += sizeof mapped_prefix;
	}
	*ip = (struct net_ip){ .family = family };
	memcpy(ip->bytes, bytes, net_ip_bits(family) / 8);
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
	net_ip_of_bytes(bytes, NET_IPV6, ip);
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

/* Every client's address is written out, and a network is looked up by its
   text: printf would be most of the cost. */
static char *put_decimal(char *at, unsigned number)
{
	if (number > 99) *at++ = (char)('0' + number / 100 % 10);
	if (number > 9) *at++ = (char)('0' + number / 10 % 10);
	*at++ = (char)('0' + number % 10);
	return at;
}

static char *put_hexadecimal(char *at, unsigned group)
{
	static const char digits[] = "0123456789abcdef";

	if (group > 0xfff) *at++ = digits[group >> 12];
	if (group > 0xff) *at++ = digits[group >> 8 & 15];
	if (group > 0xf) *at++ = digits[group >> 4 & 15];
	*at++ = digits[group & 15];
	return at;
}

static char *put_version_4(char *at, const unsigned char bytes[4])
{
	for (size_t i = 0; i < 4; i++) {
		if (i > 0) *at++ = '.';
		at = put_decimal(at, bytes[i]);
	}
	return at;
}

/* Rules are found by this text, so it must not depend on the libc: musl's
   inet_ntop prefers a later row of zeros, glibc's writes ::1:1 as ::0.1.0.1. */
static char *put_version_6(char *at, const unsigned char bytes[16])
{
	size_t zeros, first = longest_zeros(bytes, &zeros), i = 0;
	bool separate = false;

	while (i < GROUPS) {
		if (zeros && i == first) {
			*at++ = ':';
			*at++ = ':';
			separate = false;
			i += zeros;
			continue;
		}
		if (separate) *at++ = ':';
		at = put_hexadecimal(at, group_of(bytes, i));
		separate = true;
		i++;
	}
	return at;
}

/* Gives where the text ends. */
static char *put_ip(char *at, const struct net_ip *ip)
{
	static const char unknown[] = "unknown";

	if (ip->family == NET_IPV4) return put_version_4(at, ip->bytes);
	if (ip->family == NET_IPV6) return put_version_6(at, ip->bytes);
	memcpy(at, unknown, sizeof unknown - 1);
	return at + sizeof unknown - 1;
}

const char *net_ip_format(const struct net_ip *ip, char text[NET_IP_TEXT])
{
	*put_ip(text, ip) = '\0';
	return text;
}

const char *net_ip_format_network(const struct net_ip *ip, unsigned length,
				  char text[NET_NETWORK_TEXT])
{
	char *end = put_ip(text, ip);

	*end++ = '/';
	*put_decimal(end, length) = '\0';
	return text;
}

unsigned net_ip_bits(enum net_family family)
{
	if (family == NET_NONE) return 0;
	return family == NET_IPV4 ? 32 : 128;
}

bool net_ip_mask(struct net_ip *ip, unsigned length)
{
	size_t size = net_ip_bits(ip->family) / 8;
	bool cleared = false;

	for (size_t i = length / 8; i < size; i++) {
		unsigned kept = i == length / 8 ? length % 8 : 0;
		unsigned char behind = (unsigned char)(0xff >> kept);

		if (ip->bytes[i] & behind) cleared = true;
		ip->bytes[i] = ip->bytes[i] & (unsigned char)~behind;
	}
	return cleared;
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
		net_ip_of_bytes(in.sin6_addr.s6_addr, NET_IPV6, ip);
		*port = ntohs(in.sin6_port);
	}
}

socklen_t net_socket_of_ip(const struct net_ip *ip, unsigned port,
			   unsigned scope, struct sockaddr_storage *socket)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons((uint16_t)port),
				    .sin6_scope_id = scope };

	*socket = (struct sockaddr_storage){ 0 };
	if (ip->family == NET_IPV6) {
		memcpy(&in6.sin6_addr, ip->bytes, 16);
		memcpy(socket, &in6, sizeof in6);
		return sizeof in6;
	}
	memcpy(&in.sin_addr, ip->bytes, 4);
	memcpy(socket, &in, sizeof in);
	return sizeof in;
}

int net_socket(int family, int type)
{
	int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int higher;

	if (fd < 0 || fd > STDERR_FILENO) return fd;
	higher = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	file_close(fd);
	return higher;
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
