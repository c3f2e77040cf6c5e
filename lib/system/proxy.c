/* SPDX-License-Identifier: ISC */
#include "system/proxy.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/parse.h"

/* Version 1: "PROXY TCP4 192.0.2.1 198.51.100.1 56324 25\r\n". */

enum {
	LINE = 107, /* the longest, with its end */
	CLIENT_WORDS = 6,
};

static const char line_start[] = "PROXY ";

struct words {
	char text[LINE + 1];
	const char *list[CLIENT_WORDS];
	size_t count;
};

/* One blank between two words, none at the ends. -1 when there are more than
   fit, or bytes that no word can have. */
static int split(const char *line, size_t length, struct words *words)
{
	char *start = words->text;

	words->count = 0;
	memcpy(words->text, line, length);
	words->text[length] = ' ';
	for (size_t i = 0; i <= length; i++) {
		char *at = &words->text[i];

		if (*at > ' ' && *at < 127) continue;
		if (*at != ' ' || at == start || words->count == CLIENT_WORDS)
			return -1;
		*at = '\0';
		words->list[words->count++] = start;
		start = at + 1;
	}
	return 0;
}

static int parse_address(const char *text, enum net_family family,
			 struct net_ip *ip)
{
	if ((strchr(text, ':') != NULL) != (family == NET_IPV6)) return -1;
	return net_ip_parse(text, ip);
}

static int parse_port(const char *text, unsigned *port)
{
	unsigned long number;

	if (text[0] == '0' && text[1] != '\0') return -1;
	if (parse_number(text, 0, 65535, &number) < 0) return -1;
	*port = (unsigned)number;
	return 0;
}

static int parse_client(const struct words *words, struct proxy_header *header)
{
	enum net_family family;

	if (words->count != CLIENT_WORDS) return -1;
	if (strcmp(words->list[1], "TCP4") == 0) family = NET_IPV4;
	else if (strcmp(words->list[1], "TCP6") == 0) family = NET_IPV6;
	else return -1;
	if (parse_address(words->list[2], family, &header->source) < 0 ||
	    parse_address(words->list[3], family, &header->destination) < 0 ||
	    parse_port(words->list[4], &header->source_port) < 0 ||
	    parse_port(words->list[5], &header->destination_port) < 0)
		return -1;
	header->kind = PROXY_FOR_CLIENT;
	return 0;
}

static enum proxy_result parse_line(const char *bytes, size_t length,
				    struct proxy_header *header)
{
	static const char unknown[] = "PROXY UNKNOWN";
	const char *end = memchr(bytes, '\n', length < LINE ? length : LINE);
	struct words words;
	size_t size;

	if (!end) return length < LINE ? PROXY_INCOMPLETE : PROXY_FAILED;
	if (end == bytes || end[-1] != '\r') return PROXY_FAILED;
	header->length = (size_t)(end - bytes) + 1;
	size = header->length - strlen("\r\n");
	/* Whatever stands behind UNKNOWN is to be passed over. */
	if (size >= strlen(unknown) &&
	    memcmp(bytes, unknown, strlen(unknown)) == 0 &&
	    (size == strlen(unknown) || bytes[strlen(unknown)] == ' '))
		return PROXY_READ;
	if (split(bytes, size, &words) < 0 || parse_client(&words, header) < 0)
		return PROXY_FAILED;
	return PROXY_READ;
}

/* Version 2: a signature, version and command, family and transport, the
   length of the rest; addresses, ports, extensions. */

static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";

enum {
	SIGNATURE = sizeof signature - 1,
	COMMAND_AT = SIGNATURE,
	FAMILY_AT,
	LENGTH_AT,
	ADDRESSES_AT = LENGTH_AT + 2,

	COMMAND_LOCAL = 0x20, /* version 2 in the upper half */
	COMMAND_PROXY = 0x21,

	FAMILY_TCP4 = 0x11,
	FAMILY_TCP6 = 0x21,
	HIGHEST_FAMILY = 3,    /* a UNIX socket */
	HIGHEST_TRANSPORT = 2, /* datagrams */
};

static unsigned number_at(const unsigned char *bytes)
{
	return (unsigned)bytes[0] << 8 | bytes[1];
}

static int client_at(const unsigned char *bytes, size_t room,
		     enum net_family family, struct proxy_header *header)
{
	size_t size = net_ip_bits(family) / 8;

	if (room < 2 * size + 4) return -1;
	net_ip_of_bytes(bytes, family, &header->source);
	net_ip_of_bytes(bytes + size, family, &header->destination);
	header->source_port = number_at(bytes + 2 * size);
	header->destination_port = number_at(bytes + 2 * size + 2);
	header->kind = PROXY_FOR_CLIENT;
	return 0;
}

static int client_of_family(const unsigned char *bytes, size_t room,
			    struct proxy_header *header)
{
	unsigned family = bytes[FAMILY_AT];
	const unsigned char *addresses = bytes + ADDRESSES_AT;

	if (family >> 4 > HIGHEST_FAMILY || (family & 15) > HIGHEST_TRANSPORT)
		return -1;
	if (family == FAMILY_TCP4)
		return client_at(addresses, room, NET_IPV4, header);
	if (family == FAMILY_TCP6)
		return client_at(addresses, room, NET_IPV6, header);
	return 0;
}

static enum proxy_result parse_binary(const unsigned char *bytes, size_t length,
				      struct proxy_header *header)
{
	unsigned command;
	size_t rest;

	if (length <= COMMAND_AT) return PROXY_INCOMPLETE;
	command = bytes[COMMAND_AT];
	if (command != COMMAND_LOCAL && command != COMMAND_PROXY)
		return PROXY_FAILED;
	if (length < ADDRESSES_AT) return PROXY_INCOMPLETE;
	rest = number_at(bytes + LENGTH_AT);
	if (rest > PROXY_HEADER - ADDRESSES_AT) return PROXY_FAILED;
	if (length < ADDRESSES_AT + rest) return PROXY_INCOMPLETE;
	header->length = ADDRESSES_AT + rest;
	if (command == COMMAND_PROXY &&
	    client_of_family(bytes, rest, header) < 0)
		return PROXY_FAILED;
	return PROXY_READ;
}

/* Do they begin with it, as far as they go? */
static bool may_begin(const void *bytes, size_t length, const char *start,
		      size_t start_length)
{
	return memcmp(bytes, start,
		      length < start_length ? length : start_length) == 0;
}

enum proxy_result proxy_parse(const void *bytes, size_t length,
			      struct proxy_header *header)
{
	enum proxy_result result = PROXY_FAILED;

	*header = (struct proxy_header){ 0 };
	if (length == 0) return PROXY_INCOMPLETE;
	if (may_begin(bytes, length, line_start, strlen(line_start)))
		result = parse_line(bytes, length, header);
	else if (may_begin(bytes, length, signature, SIGNATURE))
		result = parse_binary(bytes, length, header);
	if (result != PROXY_READ) *header = (struct proxy_header){ 0 };
	return result;
}

static bool has_ended(int socket)
{
	struct pollfd end = { .fd = socket, .events = POLLRDHUP };

	return poll(&end, 1, 0) > 0;
}

static enum proxy_result peek(int socket, struct proxy_header *header)
{
	unsigned char bytes[PROXY_HEADER];
	ssize_t length =
		recv(socket, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
	enum proxy_result result;

	if (length < 0)
		return errno == EAGAIN || errno == EINTR ? PROXY_INCOMPLETE
							 : PROXY_FAILED;
	result = proxy_parse(bytes, (size_t)length, header);
	if (result == PROXY_FAILED) errno = EPROTO;
	return result;
}

enum proxy_result proxy_read(int socket, struct proxy_header *header)
{
	unsigned char bytes[PROXY_HEADER];
	enum proxy_result result = peek(socket, header);

	/* A peek does not see the end behind what has come before. */
	if (result == PROXY_INCOMPLETE && has_ended(socket)) {
		result = peek(socket, header);
		if (result == PROXY_INCOMPLETE) {
			errno = ECONNRESET;
			return PROXY_FAILED;
		}
	}
	if (result != PROXY_READ) return result;
	/* All of it is there. */
	if (recv(socket, bytes, header->length, MSG_DONTWAIT) ==
	    (ssize_t)header->length)
		return PROXY_READ;
	errno = EPROTO;
	return PROXY_FAILED;
}
