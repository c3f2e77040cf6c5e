/* IP addresses as values and as text, and listening sockets. A version 4
   address in version 6 clothes (::ffff:192.0.2.1, RFC 4291 section 2.5.5.2) is
   the version 4 address everywhere.
   SPDX-License-Identifier: ISC */
#ifndef SYSTEM_NET_H
#define SYSTEM_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum { NET_IP_TEXT = 46 };

enum net_family { NET_NONE, NET_IPV4, NET_IPV6 };

struct net_ip {
	enum net_family family;
	unsigned char bytes[16]; /* 4 or 16 of them, network order */
};

/* The whole text is one address: dotted quad of four decimal numbers, or RFC
   4291 text without a scope. 0, or -1. */
int net_ip_parse(const char *text, struct net_ip *);

/* The 4 or 16 bytes of an address of the family, in network order. */
void net_ip_of_bytes(const unsigned char *bytes, enum net_family,
		     struct net_ip *);

/* RFC 5952 text; NET_NONE gives "unknown". Returns `text`. */
const char *net_ip_format(const struct net_ip *, char text[NET_IP_TEXT]);

enum { NET_NETWORK_TEXT = NET_IP_TEXT + 4 };

/* The same with "/LENGTH" behind it. */
const char *net_ip_format_network(const struct net_ip *, unsigned length,
				  char text[NET_NETWORK_TEXT]);

/* How long an address of the family is: 32, 128, or 0 for none. */
unsigned net_ip_bits(enum net_family);

/* Makes it the network of that prefix length: the bits behind become 0. True
   when one of them was not. */
bool net_ip_mask(struct net_ip *, unsigned length);

bool net_ip_equal(const struct net_ip *, const struct net_ip *);

/* The bytes of 127.0.0.0/8 or ::1. */
bool net_ip_is_loopback(const struct net_ip *);

/* Address and port of one end of a connection. */
void net_ip_of_socket(const struct sockaddr_storage *, struct net_ip *,
		      unsigned *port);

/* The other way round, for bind and connect; `scope` is the interface's number
   for a link-local address, or 0. The size of the address. */
socklen_t net_socket_of_ip(const struct net_ip *, unsigned port, unsigned scope,
			   struct sockaddr_storage *);

/* A socket that does not block and is not inherited. Its number is above those
   of standard input, output and error, which may be closed. -1 with errno. */
int net_socket(int family, int type);

/* A number from 0 to 65535, or a tcp service's name. 0, or -1. */
int net_port_parse(const char *text, unsigned *port);

/* Is the address one of this machine's own? -1 with errno when the interfaces
   cannot be listed. */
int net_ip_is_local(const struct net_ip *);

#endif
