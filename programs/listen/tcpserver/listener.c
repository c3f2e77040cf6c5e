/* SPDX-License-Identifier: ISC */
#include "listener.h"

#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/str.h"

enum { PORT_TEXT = sizeof "4294967295" }; /* as the compiler sees it */

/* The host as getaddrinfo knows it; an IPv4 address in IPv6 clothes without
   them. */
static const char *address_text(const struct settings *settings,
				char text[NET_IP_TEXT])
{
	const char *host = settings->host;
	struct net_ip ip;

	if (strcmp(host, "") == 0 || strcmp(host, "0") == 0) return "0.0.0.0";
	if (strcmp(host, ":0") == 0)
		return settings->only_ipv4 ? "0.0.0.0" : "::";
	return net_ip_parse(host, &ip) == 0 ? net_ip_format(&ip, text) : host;
}

/* The first address, but a version 4 one if there is any: a name has always
   stood for that one here. */
static struct addrinfo *find_address(const struct settings *settings)
{
	const struct addrinfo hints = {
		.ai_family = settings->only_ipv4 ? AF_INET : AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
	};
	struct addrinfo *all, *at;
	char ip[NET_IP_TEXT], port[PORT_TEXT], shown[NAME_SHOWN];
	int error;

	snprintf(port, sizeof port, "%u", settings->port);
	error = getaddrinfo(address_text(settings, ip), port, &hints, &all);
	if (!error) {
		for (at = all; at; at = at->ai_next)
			if (at->ai_family == AF_INET) return at;
		return all;
	}
	if (settings->verbosity == QUIET) exit(EXIT_TRY_AGAIN);
	printable_text(shown, sizeof shown, settings->host);
	if (error == EAI_AGAIN || error == EAI_SYSTEM || error == EAI_MEMORY)
		die_temporary("temporarily unable to figure out IP address for "
			      "%s: %s",
			      shown,
			      error == EAI_SYSTEM ? error_text(errno)
						  : gai_strerror(error));
	die_temporary("no IP address for %s", shown);
}

static void set_scope(const struct settings *settings, struct addrinfo *address)
{
	struct sockaddr_in6 in6;

	if (!settings->interface || address->ai_family != AF_INET6) return;
	memcpy(&in6, address->ai_addr, sizeof in6);
	in6.sin6_scope_id = if_nametoindex(settings->interface);
	if (!in6.sin6_scope_id) fail(settings, "find the interface");
	memcpy(address->ai_addr, &in6, sizeof in6);
}

int start_listening(const struct settings *settings, struct net_ip *ip,
		    unsigned *port)
{
	struct sockaddr_storage local = { 0 };
	socklen_t size = sizeof local;
	const int on = 1, only_ipv6 = strcmp(settings->host, ":0") != 0;
	struct addrinfo *address = find_address(settings);
	int fd;

	set_scope(settings, address);
	fd = socket(address->ai_family,
		    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) fail(settings, "create socket");
	if (address->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_ipv6,
			   sizeof only_ipv6);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	/* Accepted sockets inherit it. */
	if (settings->send_at_once)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (bind(fd, address->ai_addr, address->ai_addrlen) < 0)
		fail(settings, "bind");
	if (getsockname(fd, (struct sockaddr *)&local, &size) < 0)
		fail(settings, "get local address");
	if (listen(fd, (int)settings->backlog) < 0) fail(settings, "listen");
	net_ip_of_socket(&local, ip, port);
	return fd;
}
