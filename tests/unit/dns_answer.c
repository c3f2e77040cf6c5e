/* DNS messages as a hostile server may write them.
   SPDX-License-Identifier: ISC */
#include "system/dns_answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "tap.h"

#define BYTES(literal) literal, sizeof(literal) - 1
/* One question, for "q" (at byte 12), and so many answers, from byte 19. */
#define HEAD(answers) "\1\2\x81\x80\0\1\0" answers "\0\0\0\0\1q\0\0\x0c\0\1"
#define OWNER "\xc0\x0c"
#define PTR OWNER "\0\x0c\0\1\0\0\0\1"
#define MX OWNER "\0\x0f\0\1\0\0\0\1"
#define TXT OWNER "\0\x10\0\1\0\0\0\1"
#define TEN "abcdefghij"
#define SIXTY TEN TEN TEN TEN TEN TEN

/* The hosts of a message's PTR records, with commas between them; a record
   that is no host's name is "-". NULL for a broken message. */
static const char *hosts_of(const char *message, size_t length)
{
	static struct str hosts;
	struct dns_answer answer;
	struct dns_record record;
	char host[DNS_NAME];
	int count = dns_answer_open(&answer, message, length, DNS_PTR);

	if (count < 0) return NULL;
	str_clear(&hosts);
	str_reserve(&hosts, 0);
	while (dns_answer_next(&answer, &record)) {
		bool is_host = dns_record_host(&answer, &record, host);

		if (hosts.length > 0) str_append_byte(&hosts, ',');
		str_append_text(&hosts, is_host ? host : "-");
		count--;
	}
	return count == 0 ? hosts.data : "a wrong count";
}

static const struct {
	const char *name;
	const char *message;
	size_t length;
	const char *wanted;
} rows[] = {
	{ "no byte", BYTES(""), NULL },
	{ "half a header", BYTES("\1\2\x81\x80\0\1\0\1"), NULL },
	{ "no answers", BYTES(HEAD("\0")), "" },
	{ "a name", BYTES(HEAD("\1") PTR "\0\x0e\4mail\7example\0"),
	  "mail.example" },
	{ "upper case", BYTES(HEAD("\1") PTR "\0\x0e\4MAIL\7eXample\0"),
	  "mail.example" },
	{ "two names", BYTES(HEAD("\2") PTR "\0\3\1a\0" PTR "\0\3\1b\0"),
	  "a,b" },
	{ "a pointer", BYTES(HEAD("\1") PTR "\0\4\1a\xc0\x0c"), "a.q" },
	{ "nothing but a pointer", BYTES(HEAD("\1") PTR "\0\2\xc0\x0c"), "q" },
	{ "an alias first",
	  BYTES(HEAD("\2") OWNER "\0\5\0\1\0\0\0\1\0\3\1c\0" PTR "\0\3\1a\0"),
	  "a" },
	{ "an alias only", BYTES(HEAD("\1") OWNER "\0\5\0\1\0\0\0\1\0\3\1c\0"),
	  "" },
	{ "another class",
	  BYTES(HEAD("\1") OWNER "\0\x0c\0\3\0\0\0\1\0\3\1a\0"), "" },
	{ "a pointer to itself", BYTES(HEAD("\1") PTR "\0\2\xc0\x1f"), "-" },
	{ "a pointer forwards", BYTES(HEAD("\1") PTR "\0\4\xc0\x21\1a"), "-" },
	{ "two pointers in a circle",
	  BYTES(HEAD("\2") PTR "\0\4\1a\xc0\x2f" PTR "\0\4\1b\xc0\x1f"),
	  "-,-" },
	{ "a pointer out of the message", BYTES(HEAD("\1") PTR "\0\2\xff\xff"),
	  "-" },
	{ "a pointer into the header", BYTES(HEAD("\1") PTR "\0\2\xc0\3"),
	  "-" },
	{ "a label of type 01", BYTES(HEAD("\1") PTR "\0\3\x41g\0"), "-" },
	{ "bytes behind the name", BYTES(HEAD("\1") PTR "\0\4\1a\0b"), "-" },
	{ "a name that goes on", BYTES(HEAD("\1") PTR "\0\3\1a\1"), "-" },
	{ "a name that reaches into the next record",
	  BYTES(HEAD("\2") PTR "\0\2\1a" PTR "\0\3\1b\0"), "-,b" },
	{ "no data", BYTES(HEAD("\1") PTR "\0\0"), "-" },
	{ "the root", BYTES(HEAD("\1") PTR "\0\1\0"), "-" },
	{ "a dot in a label", BYTES(HEAD("\1") PTR "\0\5\3a.b\0"), "-" },
	{ "a NUL", BYTES(HEAD("\1") PTR "\0\5\3a\0b\0"), "-" },
	{ "a line end", BYTES(HEAD("\1") PTR "\0\5\3a\nb\0"), "-" },
	{ "a blank", BYTES(HEAD("\1") PTR "\0\5\3a b\0"), "-" },
	{ "a byte above 127", BYTES(HEAD("\1") PTR "\0\5\3a\xe4g\0"), "-" },
	{ "a slash", BYTES(HEAD("\1") PTR "\0\5\3a/b\0"), "-" },
	{ "underscore, digits, minus",
	  BYTES(HEAD("\1") PTR "\0\x0a\4_1-2\3a3b\0"), "_1-2.a3b" },
	{ "an address",
	  BYTES(HEAD("\1") PTR "\0\x0b\003127\1\060\1\060\1\061\0"), "-" },
	{ "a number", BYTES(HEAD("\1") PTR "\0\4\00212\0"), "-" },
	{ "less data than it says", BYTES(HEAD("\1") PTR "\0\4\1a\0"), NULL },
	{ "fewer records than it says", BYTES(HEAD("\2") PTR "\0\3\1a\0"),
	  NULL },
	{ "more records than it says",
	  BYTES(HEAD("\1") PTR "\0\3\1a\0" PTR "\0\3\1b\0"), "a" },
	{ "a record cut in its middle", BYTES(HEAD("\1") OWNER "\0\x0c\0\1"),
	  NULL },
	{ "an owner that does not end", BYTES(HEAD("\1") "\7abc"), NULL },
	{ "no room for the question",
	  BYTES("\1\2\x81\x80\0\1\0\0\0\0\0\0\1q\0\0\x0c"), NULL },
	{ "a name of 253 bytes",
	  BYTES(HEAD("\1") PTR "\0\xff\x3c" SIXTY "\x3c" SIXTY "\x3c" SIXTY
			       "\x3c" SIXTY "\x09"
			       "abcdefghi\0"),
	  SIXTY "." SIXTY "." SIXTY "." SIXTY ".abcdefghi" },
	{ "a name of 254 bytes",
	  BYTES(HEAD("\1") PTR "\1\0\x3c" SIXTY "\x3c" SIXTY "\x3c" SIXTY
			       "\x3c" SIXTY "\x0a"
			       "abcdefghij\0"),
	  "-" },
};

static void test_addresses(void)
{
	static const struct {
		const char *name;
		enum dns_type type;
		const char *message;
		size_t length;
		const char *wanted;
	} cases[] = {
		{ "A", DNS_A,
		  BYTES(HEAD("\1") OWNER "\0\1\0\1\0\0\0\1\0\4\xc0\0\2\1"),
		  "192.0.2.1" },
		{ "A of 5 bytes", DNS_A,
		  BYTES(HEAD("\1") OWNER "\0\1\0\1\0\0\0\1\0\5\xc0\0\2\1\0"),
		  NULL },
		{ "AAAA", DNS_AAAA,
		  BYTES(HEAD("\1") OWNER
			"\0\x1c\0\1\0\0\0\1\0\x10 \1\x0d\xb8\0\0\0\0\0\0\0\0"
			"\0\0\0\1"),
		  "2001:db8::1" },
		{ "AAAA of 4 bytes", DNS_AAAA,
		  BYTES(HEAD("\1") OWNER "\0\x1c\0\1\0\0\0\1\0\4\xc0\0\2\1"),
		  NULL },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct dns_answer answer;
		struct dns_record record = { 0 };
		struct net_ip ip;
		char text[NET_IP_TEXT], host[DNS_NAME];

		is_number(dns_answer_open(&answer, cases[i].message,
					  cases[i].length, cases[i].type),
			  1, cases[i].name);
		if (!ok(dns_answer_next(&answer, &record), "it is there"))
			continue;
		is_text(dns_record_ip(&answer, &record, &ip)
				? net_ip_format(&ip, text)
				: NULL,
			cases[i].wanted, cases[i].name);
		ok(!dns_record_host(&answer, &record, host), "not a name");
	}
}

static void test_texts(void)
{
	static const struct {
		const char *name;
		const char *message;
		size_t length;
		const char *wanted; /* NULL: not a text */
		size_t wanted_length;
	} cases[] = {
		{ "a string", BYTES(HEAD("\1") TXT "\0\7\6listed"),
		  BYTES("listed") },
		{ "three strings, one empty",
		  BYTES(HEAD("\1") TXT "\0\7\2a \0\2bc"), BYTES("a bc") },
		{ "an empty string", BYTES(HEAD("\1") TXT "\0\1\0"),
		  BYTES("") },
		{ "any bytes", BYTES(HEAD("\1") TXT "\0\6\5\0\r\n\xff\xc0"),
		  BYTES("\0\r\n\xff\xc0") },
		{ "what looks like pointers",
		  BYTES(HEAD("\1") TXT "\0\5\4\xc0\x0c\xc0\x0c"),
		  BYTES("\xc0\x0c\xc0\x0c") },
		{ "no string", BYTES(HEAD("\1") TXT "\0\0"), NULL, 0 },
		{ "a string that is longer than its record",
		  BYTES(HEAD("\1") TXT "\0\3\3ab"), NULL, 0 },
		{ "the second one is",
		  BYTES(HEAD("\2") TXT "\0\4\1a\3b" TXT "\0\2\1c"), NULL, 0 },
		{ "a length at the end", BYTES(HEAD("\1") TXT "\0\3\1a\1"),
		  NULL, 0 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct dns_answer answer;
		struct dns_record record = { 0 };
		struct str text = { 0 };
		bool is_text_record;

		ok(dns_answer_open(&answer, cases[i].message, cases[i].length,
				   DNS_TXT) > 0 &&
			   dns_answer_next(&answer, &record),
		   cases[i].name);
		str_append_text(&text, "<");
		is_text_record = dns_record_text(&answer, &record, &text);
		ok(is_text_record == !!cases[i].wanted, "is a text or none");
		is_number((long)text.length, 1 + (long)cases[i].wanted_length,
			  "its length");
		ok(memcmp(text.data + 1, cases[i].wanted ? cases[i].wanted : "",
			  cases[i].wanted_length + 1) == 0,
		   "its bytes, and a NUL behind them");
		answer.type = DNS_PTR;
		ok(!dns_record_text(&answer, &record, &text),
		   "no other record is one");
		str_free(&text);
	}
}

static void test_exchangers(void)
{
	static const struct {
		const char *name;
		const char *message;
		size_t length;
		const char *wanted;
	} cases[] = {
		{ "MX", BYTES(HEAD("\1") MX "\0\7\0\12\1a\1B\0"), "a.b" },
		{ "MX by a pointer", BYTES(HEAD("\1") MX "\0\4\0\1\xc0\x0c"),
		  "q" },
		{ "no MX", BYTES(HEAD("\1") MX "\0\3\0\0\0"), "" },
		{ "MX with odd bytes", BYTES(HEAD("\1") MX "\0\10\0\1\4a:/b\0"),
		  "a:/b" },
		{ "MX with a blank", BYTES(HEAD("\1") MX "\0\7\0\1\3a b\0"),
		  NULL },
		{ "MX with a dot", BYTES(HEAD("\1") MX "\0\7\0\1\3a.b\0"),
		  NULL },
		{ "MX without a name", BYTES(HEAD("\1") MX "\0\2\0\1"), NULL },
		{ "MX of one byte", BYTES(HEAD("\1") MX "\0\1\0"), NULL },
		{ "MX with more behind it",
		  BYTES(HEAD("\1") MX "\0\6\0\1\1a\0b"), NULL },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct dns_answer answer;
		struct dns_record record;
		char host[DNS_NAME];
		bool is_host = dns_answer_open(&answer, cases[i].message,
					       cases[i].length, DNS_MX) == 1 &&
			       dns_answer_next(&answer, &record) &&
			       dns_record_exchanger(&answer, &record, host);

		is_text(is_host ? host : NULL, cases[i].wanted, cases[i].name);
	}
}

int main(void)
{
	char name[DNS_NAME];
	struct net_ip ip;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		is_text(hosts_of(rows[i].message, rows[i].length),
			rows[i].wanted, rows[i].name);
	test_addresses();
	test_exchangers();
	test_texts();
	net_ip_parse("192.0.2.255", &ip);
	is_text(dns_reverse_name(&ip, name), "255.2.0.192.in-addr.arpa",
		"the reverse name of an IPv4 address");
	net_ip_parse("2001:db8::ff01", &ip);
	is_text(dns_reverse_name(&ip, name),
		"1.0.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0."
		"1.0.0.2.ip6.arpa",
		"of an IPv6 address");
	return done_testing();
}
