/* PROXY headers: which are taken, as what, and that nothing behind them is.
   SPDX-License-Identifier: ISC */
#include "system/proxy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap.h"

#define BYTES(literal) literal, sizeof(literal) - 1
#define V2 "\r\n\r\n\0\r\nQUIT\n"
#define EIGHT "12345678"
#define FORTY EIGHT EIGHT EIGHT EIGHT EIGHT

static const struct {
	const char *name;
	const char *bytes;
	size_t length;
	const char *wanted; /* or NULL: failed */
} rows[] = {
	{ "TCP4", BYTES("PROXY TCP4 192.0.2.1 198.51.100.9 56324 25\r\n"),
	  "192.0.2.1 56324 198.51.100.9 25" },
	{ "TCP6", BYTES("PROXY TCP6 2001:db8::1 2001:DB8::2 0 65535\r\n"),
	  "2001:db8::1 0 2001:db8::2 65535" },
	{ "the longest line",
	  BYTES("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 "
	  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535" },
	{ "a mapped address",
	  BYTES("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:c633:6409 1 2\r\n"),
	  "192.0.2.1 1 198.51.100.9 2" },
	{ "UNKNOWN", BYTES("PROXY UNKNOWN\r\n"), "itself" },
	{ "UNKNOWN with anything behind it",
	  BYTES("PROXY UNKNOWN ff 1 \t 2\r\n"), "itself" },
	{ "UNKNOWN of 107 bytes",
	  BYTES("PROXY UNKNOWN " FORTY FORTY EIGHT "123\r\n"), "itself" },
	{ "UNKNOWN of 108 bytes",
	  BYTES("PROXY UNKNOWN " FORTY FORTY EIGHT "1234\r\n"), NULL },
	{ "UNKNOWN run on", BYTES("PROXY UNKNOWNS\r\n"), NULL },
	{ "no family", BYTES("PROXY \r\n"), NULL },
	{ "no blank", BYTES("PROXY\r\n"), NULL },
	{ "lower case", BYTES("PROXY tcp4 1.2.3.4 1.2.3.4 1 2\r\n"), NULL },
	{ "UDP4", BYTES("PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n"), NULL },
	{ "a bare LF", BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n"), NULL },
	{ "UNKNOWN, a bare LF", BYTES("PROXY UNKNOWN\n"), NULL },
	{ "two CR", BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\r\n"), NULL },
	{ "two blanks", BYTES("PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n"), NULL },
	{ "a blank at the end", BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n"),
	  NULL },
	{ "a tab", BYTES("PROXY TCP4\t1.2.3.4 1.2.3.4 1 2\r\n"), NULL },
	{ "a NUL", BYTES("PROXY TCP4 1.2.3.4\0 1.2.3.4 1 2\r\n"), NULL },
	{ "a byte above 127", BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\xa0\r\n"),
	  NULL },
	{ "a word more", BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n"), NULL },
	{ "a word less", BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"), NULL },
	{ "port 65536", BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n"), NULL },
	{ "port 025", BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1 025\r\n"), NULL },
	{ "port 00", BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 00 25\r\n"), NULL },
	{ "port +1", BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n"), NULL },
	{ "port -1", BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n"), NULL },
	{ "an address with a zero before it",
	  BYTES("PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n"), NULL },
	{ "a short address", BYTES("PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n"), NULL },
	{ "the address of a name", BYTES("PROXY TCP4 host 1.2.3.4 1 2\r\n"),
	  NULL },
	{ "IPv6 as TCP4", BYTES("PROXY TCP4 ::1 ::1 1 2\r\n"), NULL },
	{ "IPv4 as TCP6", BYTES("PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n"), NULL },
	{ "an address with a scope",
	  BYTES("PROXY TCP6 fe80::1%lo fe80::2 1 2\r\n"), NULL },
	{ "SMTP", BYTES("EHLO example.com\r\n"), NULL },
	{ "a blank line", BYTES("\r\nEHLO\r\n"), NULL },

	{ "v2 TCP4",
	  BYTES(V2 "\x21\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\x09\xdc\4\0\x19"),
	  "192.0.2.1 56324 198.51.100.9 25" },
	{ "v2 TCP4 with extensions",
	  BYTES(V2 "\x21\x11\0\x11\xc0\0\2\1\xc6\x33\x64\x09\xdc\4\0\x19"
		   "\4\0\2ab"),
	  "192.0.2.1 56324 198.51.100.9 25" },
	{ "v2 TCP6",
	  BYTES(V2 "\x21\x21\0\x24 \1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
		   " \1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2\xff\xff\0\0"),
	  "2001:db8::1 65535 2001:db8::2 0" },
	{ "v2 TCP6, mapped",
	  BYTES(V2 "\x21\x21\0\x24\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1"
		   "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\1\0\2"),
	  "192.0.2.1 1 ::1 2" },
	{ "v2 TCP4, one byte short",
	  BYTES(V2 "\x21\x11\0\x0b\xc0\0\2\1\xc6\x33\x64\x09\xdc\4\0"), NULL },
	{ "v2 TCP6 with the size of TCP4",
	  BYTES(V2 "\x21\x21\0\x0c\xc0\0\2\1\xc6\x33\x64\x09\xdc\4\0\x19"),
	  NULL },
	{ "v2 LOCAL", BYTES(V2 "\x20\0\0\0"), "itself" },
	{ "v2 LOCAL with addresses",
	  BYTES(V2 "\x20\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\x09\xdc\4\0\x19"),
	  "itself" },
	{ "v2 of no family", BYTES(V2 "\x21\0\0\0"), "itself" },
	{ "v2 UDP", BYTES(V2 "\x21\x12\0\3abc"), "itself" },
	{ "v2 UNIX", BYTES(V2 "\x21\x31\0\3abc"), "itself" },
	{ "v2 of family 4", BYTES(V2 "\x21\x41\0\0"), NULL },
	{ "v2 of transport 3", BYTES(V2 "\x21\x13\0\0"), NULL },
	{ "v2 command 2", BYTES(V2 "\x22\0\0\0"), NULL },
	{ "version 1 of v2", BYTES(V2 "\x11\0\0\0"), NULL },
	{ "version 3", BYTES(V2 "\x31\0\0\0"), NULL },
	{ "v2, too long", BYTES(V2 "\x20\0\x0f\xf1"), NULL },
};

static const char *in_words(const struct proxy_header *header, char room[120])
{
	char source[NET_IP_TEXT], destination[NET_IP_TEXT];

	if (header->kind == PROXY_FOR_ITSELF) return "itself";
	snprintf(room, 120, "%s %u %s %u",
		 net_ip_format(&header->source, source), header->source_port,
		 net_ip_format(&header->destination, destination),
		 header->destination_port);
	return room;
}

static void test_row(size_t i)
{
	const char *name = rows[i].name;
	char room[120], bytes[300];
	struct proxy_header header;
	size_t length = rows[i].length;

	memcpy(bytes, rows[i].bytes, length);
	memcpy(bytes + length, "EHLO\r\n", 6);
	if (proxy_parse(bytes, length + 6, &header) != PROXY_READ) {
		ok(!rows[i].wanted, name);
		ok(header.source.family == NET_NONE, "it leaves nothing");
		return;
	}
	is_text(in_words(&header, room), rows[i].wanted, name);
	is_number((long)header.length, (long)length, "it ends there");
	for (size_t part = 0; part < length; part++)
		if (proxy_parse(bytes, part, &header) != PROXY_INCOMPLETE)
			is_number((long)part, (long)length, "a part of it");
}

/* Who does not begin one is told so by his first byte. */
static void test_impatience(void)
{
	struct proxy_header header;
	char line[200];

	memset(line, 'a', sizeof line);
	memcpy(line, "PROXY ", 6);
	ok(proxy_parse("E", 1, &header) == PROXY_FAILED, "one wrong byte");
	ok(proxy_parse("PROXZ", 5, &header) == PROXY_FAILED, "a wrong fifth");
	ok(proxy_parse("\r\n\r\n\r", 5, &header) == PROXY_FAILED,
	   "a wrong byte of the signature");
	ok(proxy_parse(line, 106, &header) == PROXY_INCOMPLETE,
	   "a line may end with byte 107");
	ok(proxy_parse(line, 107, &header) == PROXY_FAILED, "not later");
	ok(proxy_parse(V2 "\x20\0\x0f\xf0", 16, &header) == PROXY_INCOMPLETE,
	   "the longest binary header");
}

static void test_socket(void)
{
	static const char line[] = "PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\n";
	struct proxy_header header;
	char rest[10], room[120];
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0) abort();
	ok(proxy_read(ends[0], &header) == PROXY_INCOMPLETE, "nothing yet");
	for (size_t i = 0; i < strlen(line); i++) {
		if (proxy_read(ends[0], &header) != PROXY_INCOMPLETE)
			ok(false, "incomplete");
		if (send(ends[1], &line[i], 1, 0) != 1) abort();
	}
	if (send(ends[1], "EHLO", 4, 0) != 4) abort();
	shutdown(ends[1], SHUT_WR);
	ok(proxy_read(ends[0], &header) == PROXY_READ, "byte by byte");
	is_text(in_words(&header, room), "1.2.3.4 9 5.6.7.8 10", "addresses");
	is_bytes(rest, (size_t)recv(ends[0], rest, sizeof rest, 0), "EHLO", 4,
		 "what follows stays");
	errno = 0;
	ok(proxy_read(ends[0], &header) == PROXY_FAILED, "the end");
	is_number(errno, ECONNRESET, "is told");
	close(ends[0]);
	close(ends[1]);

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0) abort();
	if (send(ends[1], "PROXY ", 6, 0) != 6) abort();
	ok(proxy_read(ends[0], &header) == PROXY_INCOMPLETE, "a part");
	shutdown(ends[1], SHUT_WR);
	ok(proxy_read(ends[0], &header) == PROXY_FAILED, "and no more");
	is_number(errno, ECONNRESET, "is told");
	close(ends[0]);
	close(ends[1]);

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0) abort();
	if (send(ends[1], "EHLO\r\n", 6, 0) != 6) abort();
	ok(proxy_read(ends[0], &header) == PROXY_FAILED, "no header");
	is_number(errno, EPROTO, "is another matter");
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) test_row(i);
	test_impatience();
	test_socket();
	return done_testing();
}
