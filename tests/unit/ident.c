/* Ident: what is asked, and what is taken for an answer. The server is this
   same process.
   SPDX-License-Identifier: ISC */
#include "system/ident.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap.h"

#define BYTES(literal) literal, sizeof(literal) - 1
#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN

static const struct {
	const char *name;
	const char *reply;
	size_t length;
	const char *wanted;
} rows[] = {
	{ "a user", BYTES("6193, 25 : USERID : UNIX : stjohns\r"), "stjohns" },
	{ "no blanks", BYTES("1,2:USERID:UNIX:joe"), "joe" },
	{ "lower case", BYTES("1,2:userid:UNIX:joe"), "joe" },
	{ "a character set", BYTES("1,2:USERID:UNIX,US-ASCII:joe"), "joe" },
	{ "blanks within", BYTES("1,2:USERID:OTHER: \t joe\r r \t x "),
	  "joerx" },
	{ "colons within", BYTES("1,2:USERID:UNIX:a:b:c"), "a:b:c" },
	{ "what is not printable",
	  BYTES("1,2:USERID:UNIX:a\nb\0c\033d\177e\377"), "a?b?c?d?e?" },
	{ "256 bytes",
	  BYTES("1,2:USERID:U:" FIFTY FIFTY FIFTY FIFTY FIFTY "012345"),
	  FIFTY FIFTY FIFTY FIFTY FIFTY "012345" },
	{ "257 bytes",
	  BYTES("1,2:USERID:U:" FIFTY FIFTY FIFTY FIFTY FIFTY "0123456"),
	  FIFTY FIFTY FIFTY FIFTY FIFTY "012345" },
	{ "an error", BYTES("6195, 23 : ERROR : NO-USER\r"), NULL },
	{ "an error with three colons", BYTES("1,2:ERROR:X-A:joe"), NULL },
	{ "nobody", BYTES("1,2:USERID:UNIX: \r"), NULL },
	{ "two colons", BYTES("1,2:USERID:UNIX"), NULL },
	{ "nothing", BYTES(""), NULL },
	{ "another word", BYTES("1,2:USERIDS:UNIX:joe"), NULL },
	{ "no word", BYTES("1,2: :UNIX:joe"), NULL },
	{ "SMTP", BYTES("220 mail.example ESMTP"), NULL },
};

/* "127.0.0.1" or "::1". */
static int listen_on(const char *text, unsigned *port)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof address;
	struct net_ip ip;
	int fd;

	net_ip_parse(text, &ip);
	fd = socket(ip.family == NET_IPV6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
	if (bind(fd, (struct sockaddr *)&address,
		 net_socket_of_ip(&ip, 0, 0, &address)) < 0 ||
	    listen(fd, 5) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		return -1;
	net_ip_of_socket(&address, &ip, port);
	return fd;
}

static struct ident_connection connection_of(const char *local,
					     const char *remote)
{
	struct ident_connection connection = {
		.local_port = 25,
		.remote_port = 65535,
	};

	net_ip_parse(local, &connection.local_ip);
	net_ip_parse(remote, &connection.remote_ip);
	return connection;
}

static bool is_ready(const struct ident *ident)
{
	struct pollfd ready = { .fd = ident->fd,
				.events = ident_events(ident) };

	return poll(&ready, 1, 5000) == 1;
}

/* The answer comes in two parts; from whom the question came, is told. */
static void test_conversation(const char *local, const char *remote)
{
	struct ident_connection connection = connection_of(local, remote);
	struct sockaddr_storage peer;
	socklen_t size = sizeof peer;
	char question[100] = "", info[IDENT_INFO] = "", text[NET_IP_TEXT];
	struct ident ident;
	struct net_ip ip;
	unsigned port;
	int server = listen_on(remote, &port), fd;

	if (server < 0 || ident_open(&ident, &connection, port) < 0) {
		ok(false, "a conversation");
		return;
	}
	ok(ident.fd > STDERR_FILENO, "the descriptor is no program's");
	ok(fcntl(ident.fd, F_GETFD) & FD_CLOEXEC, "nor inherited");
	fd = accept(server, (struct sockaddr *)&peer, &size);
	net_ip_of_socket(&peer, &ip, &port);
	is_text(net_ip_format(&ip, text), local, "asked from our address");
	ok(is_ready(&ident), "connected");
	is_number(ident_serve(&ident, info), IDENT_WAITS, "it waits");
	is_number(recv(fd, question, sizeof question - 1, 0), 12, "asked");
	is_text(question, "65535 , 25\r\n", "the question");
	is_number(ident_serve(&ident, info), IDENT_WAITS, "it waits on");
	send(fd, "65535, 25 : USERID :", 20, 0);
	ok(is_ready(&ident), "a part");
	is_number(ident_serve(&ident, info), IDENT_WAITS, "of an answer");
	send(fd, " UNIX : joe\r\nand more", 21, 0);
	ok(is_ready(&ident), "the rest");
	is_number(ident_serve(&ident, info), IDENT_FOUND, "is found");
	is_text(info, "joe", "the user");
	ident_close(&ident);
	close(fd);
	close(server);
}

/* What a server does that does not answer. */
static void test_servers(void)
{
	struct ident_connection connection =
		connection_of("127.0.0.1", "127.0.0.1");
	char info[IDENT_INFO], much[2 * IDENT_REPLY];
	struct ident ident;
	unsigned port;
	int server = listen_on("127.0.0.1", &port), fd;

	is_number(ident_find(&connection, port, deadline_in(0), info),
		  IDENT_UNKNOWN, "a server that is silent");
	close(accept(server, NULL, NULL));

	ident_open(&ident, &connection, port);
	fd = accept(server, NULL, NULL);
	ok(is_ready(&ident), "connected");
	ident_serve(&ident, info);
	send(fd, "1,2:USERID:UNIX:joe", 19, 0);
	shutdown(fd, SHUT_WR);
	ok(is_ready(&ident), "half a line");
	is_number(ident_serve(&ident, info), IDENT_UNKNOWN, "is no answer");
	ident_close(&ident);
	close(fd);

	ident_open(&ident, &connection, port);
	fd = accept(server, NULL, NULL);
	ok(is_ready(&ident), "connected");
	ident_serve(&ident, info);
	memset(much, ':', sizeof much);
	send(fd, much, sizeof much, 0);
	ok(is_ready(&ident), "too much");
	is_number(ident_serve(&ident, info), IDENT_UNKNOWN, "is no answer");
	ident_close(&ident);
	close(fd);

	close(server);
	is_number(ident_find(&connection, port, deadline_in(10), info),
		  IDENT_UNKNOWN, "no server");
	connection = connection_of("192.0.2.1", "127.0.0.1");
	is_number(ident_find(&connection, port, deadline_in(10), info),
		  IDENT_UNKNOWN, "an address that is not ours");
	connection = connection_of("", "");
	is_number(ident_find(&connection, port, deadline_in(10), info),
		  IDENT_UNKNOWN, "no address");
}

int main(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char info[IDENT_INFO];
		int result = ident_parse(rows[i].reply, rows[i].length, info);

		is_text(result < 0 ? NULL : info, rows[i].wanted, rows[i].name);
	}
	test_conversation("127.0.0.1", "127.0.0.1");
	test_conversation("127.0.0.3", "127.0.0.2");
	test_conversation("::1", "::1");
	test_servers();
	return done_testing();
}
