/* Addresses: what is one, and the one text that each has.
   SPDX-License-Identifier: ISC */
#include "system/net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "tap.h"

static void test_text(void)
{
	static const struct {
		const char *text;
		const char *wanted; /* NULL: no address */
	} rows[] = {
		{ "127.0.0.1", "127.0.0.1" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "", NULL },
		{ "1.2.3", NULL },
		{ "1.2.3.4.", NULL },
		{ "1.2.3.4.5", NULL },
		{ "1.2.3.256", NULL },
		{ "01.2.3.4", NULL },
		{ "1.2.3.0x1", NULL },
		{ " 1.2.3.4", NULL },
		{ "1.2.3.4 ", NULL },
		{ "16909060", NULL },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "1::", "1::" },
		{ "2001:DB8::0001", "2001:db8::1" },
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
		{ "0:0:1:0:1:0:0:1", "::1:0:1:0:0:1" },
		{ "1:0:0:2:3:4:0:0", "1::2:3:4:0:0" },
		{ "1:2:3:4:5:6::", "1:2:3:4:5:6::" },
		{ "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
		{ "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "::1:1", "::1:1" },
		{ "::1.2.3.4", "::102:304" },
		{ "64:ff9b::1.2.3.4", "64:ff9b::102:304" },
		{ "::ffff:1.2.3.4", "1.2.3.4" },
		{ "::ffff:102:304", "1.2.3.4" },
		{ "0:0:0:0:0:FFFF:1.2.3.4", "1.2.3.4" },
		{ "::fffe:1.2.3.4", "::fffe:102:304" },
		{ "fe80::1%lo", NULL },
		{ "[::1]", NULL },
		{ ":", NULL },
		{ ":::", NULL },
		{ ":1", NULL },
		{ "1:", NULL },
		{ "1::2::3", NULL },
		{ "1:2:3:4:5:6:7", NULL },
		{ "1:2:3:4:5:6:7:8:9", NULL },
		{ "12345::", NULL },
		{ "::g", NULL },
		{ "::1 ", NULL },
		{ "::1/128", NULL },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct net_ip ip;
		char text[NET_IP_TEXT];
		int result = net_ip_parse(rows[i].text, &ip);

		is_text(result < 0 ? NULL : net_ip_format(&ip, text),
			rows[i].wanted, rows[i].text);
		if (result < 0)
			is_text(net_ip_format(&ip, text), "unknown",
				"a text that is none leaves none");
	}
}

static void test_masks(void)
{
	static const struct {
		const char *text;
		unsigned length;
		const char *wanted;
		bool cleared;
	} rows[] = {
		{ "255.255.255.255", 0, "0.0.0.0", true },
		{ "255.255.255.255", 1, "128.0.0.0", true },
		{ "255.255.255.255", 8, "255.0.0.0", true },
		{ "255.255.255.255", 15, "255.254.0.0", true },
		{ "255.255.255.255", 31, "255.255.255.254", true },
		{ "255.255.255.255", 32, "255.255.255.255", false },
		{ "10.0.0.0", 7, "10.0.0.0", false },
		{ "10.0.0.0", 6, "8.0.0.0", true },
		{ "0.0.0.0", 0, "0.0.0.0", false },
		{ "2001:db8:ffff::1", 33, "2001:db8:8000::", true },
		{ "2001:db8:ffff::1", 0, "::", true },
		{ "2001:db8:ffff::1", 127, "2001:db8:ffff::", true },
		{ "2001:db8:ffff::1", 128, "2001:db8:ffff::1", false },
		{ "2001:db8::", 32, "2001:db8::", false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct net_ip ip;
		char text[NET_IP_TEXT], name[100];
		bool cleared;

		net_ip_parse(rows[i].text, &ip);
		cleared = net_ip_mask(&ip, rows[i].length);
		snprintf(name, sizeof name, "%s/%u", rows[i].text,
			 rows[i].length);
		is_text(net_ip_format(&ip, text), rows[i].wanted, name);
		ok(cleared == rows[i].cleared, "whether bits were lost");
	}
	is_number((long)net_ip_bits(NET_IPV4), 32, "IPv4 has 32 bits");
	is_number((long)net_ip_bits(NET_IPV6), 128, "IPv6 has 128 bits");
	is_number((long)net_ip_bits(NET_NONE), 0, "nothing has none");
}

static void test_equality(void)
{
	struct net_ip a, b;

	net_ip_parse("127.1.2.3", &a);
	net_ip_parse("::ffff:127.1.2.3", &b);
	ok(net_ip_equal(&a, &b), "a mapped address is the IPv4 address");
	ok(net_ip_is_loopback(&b), "and loopback");
	net_ip_parse("127.1.2.4", &b);
	ok(!net_ip_equal(&a, &b), "another address is another");
	net_ip_parse("128.0.0.1", &a);
	ok(!net_ip_is_loopback(&a), "128.0.0.1 is not loopback");
	net_ip_parse("::1", &a);
	net_ip_parse("::1:1", &b);
	ok(net_ip_is_loopback(&a), "::1 is loopback");
	ok(!net_ip_is_loopback(&b), "::1:1 is not");
	ok(!net_ip_equal(&a, &b), "IPv6 addresses differ");
	net_ip_parse("0.0.0.1", &b);
	ok(!net_ip_equal(&a, &b), "0.0.0.1 is not ::1");
	net_ip_parse("7f00::", &a);
	ok(!net_ip_is_loopback(&a), "7f00:: is not loopback");
	a = b = (struct net_ip){ 0 };
	ok(!net_ip_is_loopback(&a), "no address is not loopback");
}

static void test_sockets(void)
{
	struct sockaddr_storage socket = { 0 };
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(25) };
	struct sockaddr_in6 in_6 = { .sin6_family = AF_INET6,
				     .sin6_port = htons(65535) };
	struct net_ip ip;
	unsigned port;
	char text[NET_IP_TEXT];

	inet_pton(AF_INET, "192.0.2.1", &in.sin_addr);
	memcpy(&socket, &in, sizeof in);
	net_ip_of_socket(&socket, &ip, &port);
	is_text(net_ip_format(&ip, text), "192.0.2.1", "an IPv4 socket");
	is_number(port, 25, "its port");
	inet_pton(AF_INET6, "2001:db8::1", &in_6.sin6_addr);
	memcpy(&socket, &in_6, sizeof in_6);
	net_ip_of_socket(&socket, &ip, &port);
	is_text(net_ip_format(&ip, text), "2001:db8::1", "an IPv6 socket");
	is_number(port, 65535, "its port");
	inet_pton(AF_INET6, "::ffff:192.0.2.1", &in_6.sin6_addr);
	memcpy(&socket, &in_6, sizeof in_6);
	net_ip_of_socket(&socket, &ip, &port);
	is_text(net_ip_format(&ip, text), "192.0.2.1",
		"an IPv4 client of an IPv6 socket");
	socket = (struct sockaddr_storage){ .ss_family = AF_UNIX };
	net_ip_of_socket(&socket, &ip, &port);
	ok(ip.family == NET_NONE && port == 0, "a socket of another kind");
}

static void test_round_trip(void)
{
	static const char *const texts[] = { "192.0.2.1", "2001:db8::1" };

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct sockaddr_storage socket;
		struct net_ip ip, back;
		socklen_t size;
		unsigned port;

		net_ip_parse(texts[i], &ip);
		size = net_socket_of_ip(&ip, 65535, 3, &socket);
		net_ip_of_socket(&socket, &back, &port);
		is_number(net_ip_equal(&ip, &back), 1, texts[i]);
		is_number(port, 65535, "and its port, there and back");
		is_number(size,
			  i ? sizeof(struct sockaddr_in6)
			    : sizeof(struct sockaddr_in),
			  "in the size of its family");
	}
}

static void test_ports(void)
{
	static const struct {
		const char *text;
		int wanted;
	} rows[] = {
		{ "0", 0 },      { "25", 25 },      { "65535", 65535 },
		{ "65536", -1 }, { "-1", -1 },      { "", -1 },
		{ "25x", -1 },   { " 25", -1 },     { "+25", -1 },
		{ "smtp", 25 },  { "no-such", -1 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsigned port = 7;
		int result = net_port_parse(rows[i].text, &port);
		char name[40];

		snprintf(name, sizeof name, "port \"%s\"", rows[i].text);
		is_number(result < 0 ? -1 : (int)port, rows[i].wanted, name);
	}
}

int main(void)
{
	struct net_ip ip;

	test_text();
	test_masks();
	test_equality();
	test_sockets();
	test_round_trip();
	test_ports();
	net_ip_parse("127.0.0.1", &ip);
	is_number(net_ip_is_local(&ip), 1, "127.0.0.1 is ours");
	net_ip_parse("192.0.2.1", &ip);
	is_number(net_ip_is_local(&ip), 0, "192.0.2.1 is not");
	return done_testing();
}
