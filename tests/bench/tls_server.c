/* tls_server CERTIFICATE PORT: the least that a TLS server with one process for
   each client can do: library, key and certificate are loaded once, each
   connection is accepted, forked for, shaken hands with, greeted, heard (one
   line) and closed. What other TLS servers are measured by.
   SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char greeting[] = "220 bench.example ESMTP\r\n";
static const char farewell[] = "221 bench.example\r\n";

static _Noreturn void give_up(const char *what)
{
	ERR_print_errors_fp(stderr);
	perror(what);
	exit(111);
}

static SSL_CTX *load(const char *certificate)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	if (!context ||
	    SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, certificate,
					SSL_FILETYPE_PEM) != 1)
		give_up(certificate);
	SSL_CTX_set_session_id_context(context, (const void *)"bench", 5);
	return context;
}

static int listen_on(const char *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;

	address.sin_port = htons((unsigned short)atoi(port));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    listen(fd, 128) < 0)
		give_up("listen");
	return fd;
}

static _Noreturn void serve(SSL_CTX *context, int fd)
{
	SSL *ssl = SSL_new(context);
	char line[512];
	int yes = 1;

	/* Tickets and greeting are two writes; without this the second waits
	   40 ms for the client's acknowledgement of the first. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
	if (!ssl || SSL_set_fd(ssl, fd) != 1 || SSL_accept(ssl) != 1) _exit(1);
	SSL_write(ssl, greeting, sizeof greeting - 1);
	if (SSL_read(ssl, line, sizeof line) > 0)
		SSL_write(ssl, farewell, sizeof farewell - 1);
	SSL_shutdown(ssl);
	_exit(0);
}

int main(int argc, char **argv)
{
	SSL_CTX *context;
	int listener;

	if (argc != 3) return 100;
	context = load(argv[1]);
	listener = listen_on(argv[2]);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0) continue;
		if (fork() == 0) serve(context, fd);
		close(fd);
	}
}
