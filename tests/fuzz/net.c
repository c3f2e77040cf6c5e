/* Addresses: what is read has one text, which reads as the same address.
   SPDX-License-Identifier: ISC */
#include "system/net.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_text(const struct net_ip *ip)
{
	struct net_ip again;
	char text[NET_IP_TEXT];

	net_ip_format(ip, text);
	if (memchr(text, '\0', sizeof text) == NULL) __builtin_trap();
	if (strspn(text, "0123456789abcdef:.") != strlen(text))
		__builtin_trap();
	if ((ip->family == NET_IPV4) != (strchr(text, ':') == NULL))
		__builtin_trap();
	if (net_ip_parse(text, &again) < 0 || !net_ip_equal(ip, &again))
		__builtin_trap();
	if (net_ip_mask(&again, net_ip_bits(ip->family))) __builtin_trap();
	if (net_ip_mask(&again, ip->bytes[0] % 32) == net_ip_equal(ip, &again))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	char *text = malloc(length + 1);
	struct net_ip ip;
	unsigned port;

	memcpy(text, bytes, length);
	text[length] = '\0';
	if (net_ip_parse(text, &ip) == 0) check_text(&ip);
	else if (ip.family != NET_NONE) __builtin_trap();
	/* Names are looked up in a file: too slow for here. */
	if (text[0] >= '0' && text[0] <= '9' &&
	    net_port_parse(text, &port) == 0 && port > 65535)
		__builtin_trap();
	free(text);

	ip = (struct net_ip){ .family = NET_IPV6 };
	if (length < sizeof ip.bytes) return 0;
	memcpy(ip.bytes, bytes, sizeof ip.bytes);
	if (memcmp(ip.bytes, mapped, sizeof mapped) != 0) check_text(&ip);
	ip = (struct net_ip){ .family = NET_IPV4 };
	memcpy(ip.bytes, bytes, 4);
	check_text(&ip);
	return 0;
}
