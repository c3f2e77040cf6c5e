/* PROXY headers: one that is read ends within the bytes, is read the same
   without what follows, and is incomplete with one byte less.
   SPDX-License-Identifier: ISC */
#include "system/proxy.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_address(const struct net_ip *ip, unsigned port,
			  enum proxy_kind kind)
{
	char text[NET_IP_TEXT];
	struct net_ip again;

	if ((ip->family == NET_NONE) != (kind == PROXY_FOR_ITSELF))
		__builtin_trap();
	if (port > 65535) __builtin_trap();
	if (ip->family == NET_NONE) return;
	if (net_ip_parse(net_ip_format(ip, text), &again) < 0 ||
	    !net_ip_equal(ip, &again))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct proxy_header header, again;

	switch (proxy_parse(bytes, length, &header)) {
	case PROXY_READ: break;
	case PROXY_INCOMPLETE:
		if (length >= PROXY_HEADER) __builtin_trap();
		return 0;
	case PROXY_FAILED:
		if (length == 0) __builtin_trap();
		return 0;
	}
	if (header.length == 0 || header.length > length ||
	    header.length > PROXY_HEADER)
		__builtin_trap();
	check_address(&header.source, header.source_port, header.kind);
	check_address(&header.destination, header.destination_port,
		      header.kind);
	if (proxy_parse(bytes, header.length, &again) != PROXY_READ ||
	    memcmp(&header, &again, sizeof header) != 0)
		__builtin_trap();
	if (proxy_parse(bytes, header.length - 1, &again) != PROXY_INCOMPLETE)
		__builtin_trap();
	return 0;
}
