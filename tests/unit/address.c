/* The arguments of MAIL and RCPT as clients really write them.
   SPDX-License-Identifier: ISC */
#include "mail/address.h"

#include <string.h>

#include "tap.h"

static const struct {
	const char *argument;
	const char *address; /* NULL: refused */
	const char *parameters;
} arguments[] = {
	{ "FROM:<a@b>", "a@b", "" },
	{ "FROM: <a@b>", "a@b", "" },
	{ "from:a@b", "a@b", "" },
	{ "from:   a@b SIZE=1", "a@b", "SIZE=1" },
	{ "FROM:<a@b> SIZE=1 BODY=7BIT", "a@b", " SIZE=1 BODY=7BIT" },
	{ "FROM:<a@b>SIZE=1", "a@b", "SIZE=1" },
	{ "FROM:<>", "", "" },
	{ "FROM:", "", "" },
	{ "FROM: ", "", "" },
	{ "TO:<postmaster>", "postmaster", "" },
	{ "TO:<@a,@b:u@c>", "u@c", "" },
	{ "TO:<@a>", "", "" },
	{ "TO:@a:u@c", "u@c", "" },
	{ "TO:<\"a b\"@c>", "a b@c", "" },
	{ "TO:<\"a>b\"@c>", "a>b@c", "" },
	{ "TO:\"a b\"@c X=1", "a b@c", "X=1" },
	{ "TO:<\"a@b\"@c>", "a@b@c", "" },
	{ "TO:<a\\@b@c>", "a@b@c", "" },
	{ "TO:<\"a\\\"b\"@c>", "a\"b@c", "" },
	{ "TO:<a\\>b@c>", "a>b@c", "" },
	{ "TO:<a@b", "a@b", "" },
	{ "TO:<a@b\\", "a@b", "" },
	{ "TO:<\"a@b>", "a@b>", "" },
	{ "TO:<<a>>", "<a", ">" },
	{ "TO:<\xe4@b>", "\xe4@b", "" },
	{ "", NULL, NULL },
	{ "FROM", NULL, NULL },
	{ "a@b", NULL, NULL },
	{ "TO:<a\rb@c>", NULL, NULL },
	{ "TO:<a\tb@c>", NULL, NULL },
	{ "TO:<a\\\x01@c>", NULL, NULL },
	{ "TO:<a\x7f@c>", NULL, NULL },
};

static void read_arguments(void)
{
	struct str address = { 0 };

	for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++) {
		const char *wanted = arguments[i].address, *parameters = NULL;
		const char *name = arguments[i].argument;
		int result = address_parse(name, &address, &parameters);

		if (!wanted) {
			is_number(result, -1, name);
			continue;
		}
		if (!is_number(result, 0, name)) continue;
		is_text(address.data, wanted, "  its address");
		is_text(parameters, arguments[i].parameters, "  what follows");
	}
	str_free(&address);
}

static void keep_the_limit(void)
{
	struct str address = { 0 };
	char argument[ADDRESS_LIMIT * 2 + 8] = "<";
	const char *parameters;

	memset(argument + 1, 'a', ADDRESS_LIMIT - 1);
	is_number(address_parse(argument, &address, &parameters), 0,
		  "an address as long as the limit");
	is_number((long long)address.length, ADDRESS_LIMIT - 1, "is whole");
	argument[ADDRESS_LIMIT] = 'a';
	is_number(address_parse(argument, &address, &parameters), -1,
		  "one byte more is refused");
	for (size_t i = 0; i < ADDRESS_LIMIT - 1; i++)
		memcpy(argument + 1 + 2 * i, "\\a", 3);
	is_number(address_parse(argument, &address, &parameters), 0,
		  "the limit counts what is left without the quoting");
	str_free(&address);
}

static const struct {
	const char *domain;
	const char *ip; /* NULL: no literal */
} domains[] = {
	{ "[127.0.0.1]", "127.0.0.1" },
	{ "[IPv6:::1]", "::1" },
	{ "[ipv6:2001:DB8::1]", "2001:db8::1" },
	{ "[IPv6:::ffff:192.0.2.1]", "192.0.2.1" },
	{ "127.0.0.1", NULL },
	{ "[127.0.0.1", NULL },
	{ "[127.0.0.1]x", NULL },
	{ "[127.0.0]", NULL },
	{ "[::1]", NULL },
	{ "[IPv6:127.0.0.1]", NULL },
	{ "[]", NULL },
	{ "[", NULL },
	{ "", NULL },
	{ "[IPv6:]", NULL },
	{ "[IPv6:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]", NULL },
};

static void find_domains(void)
{
	is_text(address_domain("a@b"), "b", "the domain");
	is_text(address_domain("a@b@c"), "c", "behind the last @");
	is_text(address_domain("a@"), "", "an empty one");
	is_text(address_domain("a"), NULL, "none");
	for (size_t i = 0; i < sizeof domains / sizeof *domains; i++) {
		char text[NET_IP_TEXT];
		struct net_ip ip;
		bool found = address_literal(domains[i].domain, &ip) == 0;

		if (!ok(found == (domains[i].ip != NULL), domains[i].domain) ||
		    !found)
			continue;
		is_text(net_ip_format(&ip, text), domains[i].ip, "  its IP");
	}
}

static const struct {
	const char *address;
	const char *written; /* NULL: refused */
} addresses[] = {
	{ "", "" },
	{ "a@b.example", "a@b.example" },
	{ "postmaster", "postmaster" },
	{ "a.b+c=d_e@sub.e-f.example", "a.b+c=d_e@sub.e-f.example" },
	{ "-t@b", "-t@b" },
	{ "a b", "\"a b\"" },
	{ "a b@c", "\"a b\"@c" },
	{ "a,b@c", "\"a,b\"@c" },
	{ "a@b@c", "\"a@b\"@c" },
	{ "a>b@c", "\"a>b\"@c" },
	{ "a\"b\\@c", "\"a\\\"b\\\\\"@c" },
	{ "a..b@c", "\"a..b\"@c" },
	{ ".a@c", "\".a\"@c" },
	{ "a.@c", "\"a.\"@c" },
	{ "@c", "\"\"@c" },
	{ "|sh", "|sh" },
	{ ":include:/x", "\":include:/x\"" },
	{ "\xc3\xa4@\xc3\xa4.example", "\xc3\xa4@\xc3\xa4.example" },
	{ "#@[]", "#@[]" },
	{ "list-@host-@[]", "\"list-@host-\"@[]" },
	{ "a@[192.0.2.1]", "a@[192.0.2.1]" },
	{ "a@[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1]" },
	{ "a\nb@c", NULL },
	{ "a\r\nRCPT TO:<x@y>@c", NULL },
	{ "a\x7f@c", NULL },
	{ "a@", NULL },
	{ "a@b c", NULL },
	{ "a@b>c", NULL },
	{ "a@b,c", NULL },
	{ "a@b(c)", NULL },
	{ "a@b\"c", NULL },
	{ "a@b\n", NULL },
};

static void write_addresses(void)
{
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
		struct str written = { 0 };
		int result;

		str_append_text(&written, "TO:<");
		result = address_write(&written, addresses[i].address);
		is_text(result < 0 ? NULL : written.data + strlen("TO:<"),
			addresses[i].written, "an address that is written");
		if (result < 0)
			is_text(written.data, "TO:<", "nothing is left of it");
		str_free(&written);
	}
}

int main(void)
{
	read_arguments();
	write_addresses();
	keep_the_limit();
	find_domains();
	return done_testing();
}
