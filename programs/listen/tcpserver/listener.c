/* SPDX-License-Identifier: ISC */
#include "listener.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/str.h"
#include "given_sockets.h"
#include "system/dns.h"

enum {
	HOST_NAME = 1024, /* no name is longer */
	MOST_ADDRESSES = 64,
	ADDRESS_SECONDS = 60,
};

/* Where to listen. */
struct place {
	struct net_ip ip;
	unsigned scope; /* of a link-local address */
	bool both;      /* IPv4 too, on a socket of IPv6 */
};

static _Noreturn void no_address(const struct settings *settings,
				 const char *host, enum dns_result result)
{
	char shown[NAME_SHOWN];

	if (settings->verbosity == QUIET) exit(EXIT_TRY_AGAIN);
	printable_text(shown, sizeof shown, host);
	if (result == DNS_FAILED)
		die_temporary("temporarily unable to figure out IP address for "
			      "%s: no answer from the DNS",
			      shown);
	die_temporary("no IP address for %s", shown);
}

/* The first address, but a version 4 one if there is any: a name has always
   stood for that one here. */
static struct net_ip look_up_host(const struct settings *settings,
				  const char *host)
{
	struct net_ip found[MOST_ADDRESSES];
	enum dns_result result;
	struct dns dns;
	size_t count;

	(void)dns_open(&dns, getenv("DNSCACHEIP")); /* warned of later */
	result = dns_find_addresses(&dns, host, deadline_in(ADDRESS_SECONDS),
				    found, MOST_ADDRESSES, &count);
	dns_close(&dns);
	for (size_t i = 0; i < count; i++)
		if (found[i].family == NET_IPV4) return found[i];
	if (count == 0 || settings->only_ipv4)
		no_address(settings, host, result);
	return found[0];
}

/* "fe80::1%eth0": the text behind the percent sign is the scope's. */
static bool take_scoped(const struct settings *settings, const char *host,
			struct place *place)
{
	size_t length = strcspn(host, "%");
	char address[NET_IP_TEXT];

	if (!host[length] || length >= sizeof address) return false;
	memcpy(address, host, length);
	address[length] = '\0';
	if (net_ip_parse(address, &place->ip) < 0) return false;
	place->scope = if_nametoindex(host + length + 1);
	if (!place->scope) fail(settings, "find the interface");
	return true;
}

static struct place find_place(const struct settings *settings,
			       const char *host)
{
	struct place place = { .both = strcmp(host, ":0") == 0 };

	if (strcmp(host, "") == 0 || strcmp(host, "0") == 0)
		place.ip.family = NET_IPV4;
	else if (place.both)
		place.ip.family = settings->only_ipv4 ? NET_IPV4 : NET_IPV6;
	else if (net_ip_parse(host, &place.ip) < 0 &&
		 !take_scoped(settings, host, &place))
		place.ip = look_up_host(settings, host);
	if (settings->only_ipv4 && place.ip.family == NET_IPV6)
		no_address(settings, host, DNS_ABSENT);
	if (settings->interface && place.ip.family == NET_IPV6) {
		place.scope = if_nametoindex(settings->interface);
		if (!place.scope) fail(settings, "find the interface");
	}
	return place;
}

static void listen_on(struct listeners *listeners,
		      const struct settings *settings,
		      const struct place *place, unsigned port)
{
	const int on = 1, only_ipv6 = !place->both;
	struct sockaddr_storage address;
	socklen_t size =
		net_socket_of_ip(&place->ip, port, place->scope, &address);
	int fd = socket(address.ss_family,
			SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0) fail(settings, "create socket");
	if (address.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_ipv6,
			   sizeof only_ipv6);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	/* Accepted sockets inherit it. */
	if (settings->send_at_once)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&address, size) < 0)
		fail(settings, "bind");
	if (listen(fd, (int)settings->backlog) < 0) fail(settings, "listen");
	if (add_listener(listeners, fd) < 0)
		fail(settings, "get local address");
}

static bool is_any_address(const struct net_ip *ip)
{
	static const struct net_ip any;

	return memcmp(ip->bytes, any.bytes, sizeof any.bytes) == 0;
}

int add_listener(struct listeners *listeners, int fd)
{
	struct sockaddr_storage local = { 0 };
	socklen_t size = sizeof local, integer = sizeof(int);
	struct listener *larger, new = { .fd = fd };
	int listens = 0;

	if (getsockname(fd, (struct sockaddr *)&local, &size) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &integer) < 0)
		return -1;
	net_ip_of_socket(&local, &new.ip, &new.port);
	new.ip_varies = is_any_address(&new.ip);
	if (!listens || new.ip.family == NET_NONE) {
		errno = EINVAL;
		return -1;
	}
	larger = realloc(listeners->list,
			 (listeners->count + 1) * sizeof *larger);
	if (!larger) return -1;
	larger[listeners->count++] = new;
	listeners->list = larger;
	return 0;
}

/* "" is one host; an empty piece of a longer list is none. */
void start_listening(struct listeners *listeners,
		     const struct settings *settings)
{
	const char *hosts = settings->hosts;
	char host[HOST_NAME];

	if (take_given_sockets(listeners, settings)) return;
	for (;;) {
		size_t length = strcspn(hosts, ",");
		const char *ports = settings->ports;
		struct place place;
		unsigned port;

		if (length >= sizeof host || (!length && *settings->hosts))
			no_address(settings, hosts, DNS_ABSENT);
		memcpy(host, hosts, length);
		host[length] = '\0';
		place = find_place(settings, host);
		while (next_port(settings, &ports, &port))
			listen_on(listeners, settings, &place, port);
		if (!hosts[length]) return;
		hosts += length + 1;
	}
}
