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
#include "given_sockets.h"

enum {
	HOST_NAME = 1024,                /* getaddrinfo's own limit */
	PORT_TEXT = sizeof "4294967295", /* as the compiler sees it */
};

static _Noreturn void no_address(const struct settings *settings,
				 const char *host, int error)
{
	char shown[NAME_SHOWN];
	int cause = errno;

	if (settings->verbosity == QUIET) exit(EXIT_TRY_AGAIN);
	printable_text(shown, sizeof shown, host);
	if (error == EAI_AGAIN || error == EAI_SYSTEM || error == EAI_MEMORY)
		die_temporary("temporarily unable to figure out IP address for "
			      "%s: %s",
			      shown,
			      error == EAI_SYSTEM ? error_text(cause)
						  : gai_strerror(error));
	die_temporary("no IP address for %s", shown);
}

/* The host as getaddrinfo knows it; an IPv4 address in IPv6 clothes without
   them. */
static const char *address_text(const struct settings *settings,
				const char *host, char text[NET_IP_TEXT])
{
	struct net_ip ip;

	if (strcmp(host, "") == 0 || strcmp(host, "0") == 0) return "0.0.0.0";
	if (strcmp(host, ":0") == 0)
		return settings->only_ipv4 ? "0.0.0.0" : "::";
	return net_ip_parse(host, &ip) == 0 ? net_ip_format(&ip, text) : host;
}

/* The first address, but a version 4 one if there is any: a name has always
   stood for that one here. */
static struct addrinfo *find_address(const struct settings *settings,
				     const char *host, unsigned port)
{
	const struct addrinfo hints = {
		.ai_family = settings->only_ipv4 ? AF_INET : AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
	};
	struct addrinfo *all, *at;
	char ip[NET_IP_TEXT], port_text[PORT_TEXT];
	int error;

	snprintf(port_text, sizeof port_text, "%u", port);
	error = getaddrinfo(address_text(settings, host, ip), port_text, &hints,
			    &all);
	if (error) no_address(settings, host, error);
	for (at = all; at; at = at->ai_next)
		if (at->ai_family == AF_INET) return at;
	return all;
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

static void listen_on(struct listeners *listeners,
		      const struct settings *settings, const char *host,
		      unsigned port)
{
	const int on = 1, only_ipv6 = strcmp(host, ":0") != 0;
	struct addrinfo *address = find_address(settings, host, port);
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
		unsigned port;

		if (length >= sizeof host || (!length && *settings->hosts))
			no_address(settings, hosts, EAI_NONAME);
		memcpy(host, hosts, length);
		host[length] = '\0';
		while (next_port(settings, &ports, &port))
			listen_on(listeners, settings, host, port);
		if (!hosts[length]) return;
		hosts += length + 1;
	}
}
