/* SPDX-License-Identifier: ISC */
#include "system/ident.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/parse.h"

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r';
}

static bool is_word(const char *text, size_t length, const char *word)
{
	for (; length > 0 && is_blank(*text); length--) text++;
	while (length > 0 && is_blank(text[length - 1])) length--;
	return parse_same_word(text, length, word);
}

/* "6193, 25 : USERID : UNIX : name": the name may hold colons. */
int ident_parse(const char *reply, size_t length, char info[IDENT_INFO])
{
	const char *end = reply + length, *fields[4] = { reply };
	size_t used = 0;

	for (size_t i = 1; i < 4; i++) {
		const char *colon = memchr(fields[i - 1], ':',
					   (size_t)(end - fields[i - 1]));

		if (!colon) return -1;
		fields[i] = colon + 1;
	}
	if (!is_word(fields[1], (size_t)(fields[2] - 1 - fields[1]), "USERID"))
		return -1;
	for (const char *at = fields[3]; at < end && used < IDENT_INFO - 1;
	     at++) {
		if (is_blank(*at)) continue;
		info[used++] = *at > ' ' && *at < 127 ? *at : '?';
	}
	info[used] = '\0';
	return used > 0 ? 0 : -1;
}

static int start_connecting(int fd, const struct ident_connection *connection,
			    unsigned port)
{
	struct sockaddr_storage address;
	socklen_t size;

	if (connection->local_ip.family == connection->remote_ip.family) {
		size = net_socket_of_ip(&connection->local_ip, 0,
					connection->scope, &address);
		if (bind(fd, (struct sockaddr *)&address, size) < 0) return -1;
	}
	size = net_socket_of_ip(&connection->remote_ip, port, connection->scope,
				&address);
	if (connect(fd, (struct sockaddr *)&address, size) == 0) return 0;
	return errno == EINPROGRESS ? 0 : -1;
}

int ident_open(struct ident *ident, const struct ident_connection *connection,
	       unsigned port)
{
	int family =
		connection->remote_ip.family == NET_IPV6 ? AF_INET6 : AF_INET;

	*ident = (struct ident){
		.fd = -1,
		.ports = { connection->remote_port, connection->local_port },
	};
	if (connection->remote_ip.family == NET_NONE) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	ident->fd = net_socket(family, SOCK_STREAM);
	if (ident->fd < 0) return -1;
	if (start_connecting(ident->fd, connection, port) < 0) {
		int cause = errno;

		ident_close(ident);
		errno = cause;
		return -1;
	}
	return 0;
}

void ident_close(struct ident *ident)
{
	if (ident->fd >= 0) close(ident->fd);
	ident->fd = -1;
}

static enum ident_result send_question(struct ident *ident)
{
	char question[sizeof "65535 , 65535\r\n"];
	int length = snprintf(question, sizeof question, "%u , %u\r\n",
			      ident->ports[0] & 65535, ident->ports[1] & 65535);

	if (send(ident->fd, question, (size_t)length, MSG_NOSIGNAL) == length) {
		ident->sent = true;
		return IDENT_WAITS;
	}
	return errno == EAGAIN || errno == EINTR ? IDENT_WAITS : IDENT_UNKNOWN;
}

static enum ident_result take_reply(struct ident *ident, char info[IDENT_INFO])
{
	char *start = ident->reply + ident->length, *end;
	ssize_t got =
		recv(ident->fd, start, sizeof ident->reply - ident->length, 0);

	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? IDENT_WAITS
							 : IDENT_UNKNOWN;
	ident->length += (size_t)got;
	end = memchr(start, '\n', (size_t)got);
	if (end)
		return ident_parse(ident->reply, (size_t)(end - ident->reply),
				   info) < 0
			       ? IDENT_UNKNOWN
			       : IDENT_FOUND;
	return got == 0 || ident->length == sizeof ident->reply ? IDENT_UNKNOWN
								: IDENT_WAITS;
}

enum ident_result ident_serve(struct ident *ident, char info[IDENT_INFO])
{
	enum ident_result result = IDENT_WAITS;

	if (!ident->sent) result = send_question(ident);
	/* The answer is seldom here yet; but an edge may have told of it. */
	while (result == IDENT_WAITS && ident->sent) {
		size_t before = ident->length;

		result = take_reply(ident, info);
		if (ident->length == before) break;
	}
	return result;
}

short ident_events(const struct ident *ident)
{
	return ident->sent ? POLLIN : POLLOUT;
}

enum ident_result ident_find(const struct ident_connection *connection,
			     unsigned port, deadline end, char info[IDENT_INFO])
{
	enum ident_result result = IDENT_WAITS;
	struct ident ident;

	if (ident_open(&ident, connection, port) < 0) return IDENT_UNKNOWN;
	while (result == IDENT_WAITS) {
		if (deadline_wait(ident.fd, ident_events(&ident), end) == 1)
			result = ident_serve(&ident, info);
		else result = IDENT_UNKNOWN;
	}
	ident_close(&ident);
	return result;
}
