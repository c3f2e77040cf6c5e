/* SPDX-License-Identifier: ISC */
#include "mail/ends.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	NAME_ROOM = sizeof "TCP6REMOTEHOST",
	PORT_ROOM = sizeof "4294967295", /* as the compiler sees it */
	NAME_SECONDS = 30,               /* for both names */
};

static unsigned scope_of(const struct sockaddr_storage *address)
{
	struct sockaddr_in6 in6;

	if (address->ss_family != AF_INET6) return 0;
	memcpy(&in6, address, sizeof in6);
	return in6.sin6_scope_id;
}

int ends_of_socket(int fd, struct ends *ends, const char **what)
{
	struct sockaddr_storage address = { 0 };
	socklen_t size = sizeof address;

	*ends = (struct ends){ 0 };
	*what = "get local address";
	if (getsockname(fd, (struct sockaddr *)&address, &size) < 0) return -1;
	net_ip_of_socket(&address, &ends->local_ip, &ends->local_port);
	if (ends->local_ip.family == NET_NONE) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	*what = "get remote address";
	size = sizeof address;
	if (getpeername(fd, (struct sockaddr *)&address, &size) < 0) return -1;
	net_ip_of_socket(&address, &ends->remote_ip, &ends->remote_port);
	ends->scope = scope_of(&address);
	return 0;
}

static const char *find_name(struct dns *dns, const struct net_ip *ip,
			     deadline end, char name[DNS_NAME])
{
	return dns_find_host(dns, ip, end, name) == DNS_FOUND ? name : NULL;
}

static const char *find_info(struct ends *ends, unsigned long seconds)
{
	const struct ident_connection connection = {
		.local_ip = ends->local_ip,
		.local_port = ends->local_port,
		.remote_ip = ends->remote_ip,
		.remote_port = ends->remote_port,
		.scope = ends->scope,
	};

	return ident_find(&connection, IDENT_PORT, deadline_in(seconds),
			  ends->info) == IDENT_FOUND
		       ? ends->info
		       : NULL;
}

void ends_look_up(struct ends *ends, const struct ends_wanted *wanted,
		  struct dns *dns)
{
	deadline end = DEADLINE_NEVER;

	if (!wanted->local_host || wanted->remote_host)
		end = deadline_in(NAME_SECONDS);
	ends->local_host = wanted->local_host;
	if (!ends->local_host)
		ends->local_host =
			find_name(dns, &ends->local_ip, end, ends->local_name);
	if (wanted->remote_host)
		ends->remote_host = find_name(dns, &ends->remote_ip, end,
					      ends->remote_name);
	if (wanted->remote_info)
		ends->remote_info = find_info(ends, wanted->info_seconds);
}

/* NULL: none. */
static int set(const char *family, const char *name, const char *value)
{
	char whole[NAME_ROOM];

	snprintf(whole, sizeof whole, "%s%s", family, name);
	return value ? setenv(whole, value, 1) : unsetenv(whole);
}

static int set_address(const char *family, const char *ip_name,
		       const char *port_name, const struct net_ip *ip,
		       unsigned port)
{
	char ip_text[NET_IP_TEXT], port_text[PORT_ROOM];

	net_ip_format(ip, ip_text);
	snprintf(port_text, sizeof port_text, "%u", port);
	if (set(family, ip_name, ip_text) < 0) return -1;
	return set(family, port_name, port_text);
}

static int set_family(const char *family, const struct ends *ends)
{
	if (set_address(family, "LOCALIP", "LOCALPORT", &ends->local_ip,
			ends->local_port) < 0 ||
	    set_address(family, "REMOTEIP", "REMOTEPORT", &ends->remote_ip,
			ends->remote_port) < 0 ||
	    set(family, "LOCALHOST", ends->local_host) < 0 ||
	    set(family, "REMOTEHOST", ends->remote_host) < 0)
		return -1;
	return set(family, "REMOTEINFO", ends->remote_info);
}

static void unset_ipv6(void)
{
	static const char *const names[] = { "LOCALIP",    "LOCALPORT",
					     "LOCALHOST",  "REMOTEIP",
					     "REMOTEPORT", "REMOTEHOST",
					     "REMOTEINFO", "INTERFACE" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		set("TCP6", names[i], NULL);
}

int ends_to_environment(const struct ends *ends)
{
	char interface[IF_NAMESIZE];
	bool ipv6 = ends->remote_ip.family == NET_IPV6;

	unset_ipv6();
	if (setenv("PROTO", ipv6 ? "TCP6" : "TCP", 1) < 0) return -1;
	if (set_family("TCP", ends) < 0) return -1;
	if (!ipv6) return 0;
	if (set_family("TCP6", ends) < 0) return -1;
	if (ends->scope && if_indextoname(ends->scope, interface))
		return set("TCP6", "INTERFACE", interface);
	return 0;
}
