/* tls_connect [-r] PORT COUNT CLIENTS: COUNT TLS 1.3 connections to 127.0.0.1,
   CLIENTS of them at a time, each a process of its own that reads a greeting,
   says QUIT and reads up to the other side's close_notify. Prints how many a
   second, and the share that resumed a session. -r: each client resumes its
   last session where it can; else every handshake is a full one.
   SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_in server = { .sin_family = AF_INET };
static SSL_SESSION *last; /* the ticket that came last */
static int resumes;

static double seconds(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static _Noreturn void give_up(const char *what)
{
	ERR_print_errors_fp(stderr);
	perror(what);
	_exit(111);
}

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	(void)ssl;
	if (last) SSL_SESSION_free(last);
	last = session;
	return 1; /* ours now */
}

static SSL_CTX *make_context(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (!context || !SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION))
		give_up("context");
	SSL_CTX_set_session_cache_mode(context, resumes ? SSL_SESS_CACHE_CLIENT
							: SSL_SESS_CACHE_OFF);
	if (resumes) SSL_CTX_sess_set_new_cb(context, keep_session);
	return context;
}

/* 1 when the session was resumed. */
static int connect_once(SSL_CTX *context)
{
	static const char quit[] = "QUIT\r\n";
	int fd = socket(AF_INET, SOCK_STREAM, 0), resumed, yes = 1;
	SSL *ssl = SSL_new(context);
	char line[512];

	if (fd < 0 || connect(fd, (struct sockaddr *)&server, sizeof server))
		give_up("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
	SSL_set_fd(ssl, fd);
	if (last) SSL_set_session(ssl, last);
	if (SSL_connect(ssl) != 1) give_up("handshake");
	if (SSL_read(ssl, line, sizeof line) <= 0) give_up("greeting");
	if (SSL_write(ssl, quit, sizeof quit - 1) <= 0) give_up("quit");
	while (SSL_read(ssl, line, sizeof line) > 0)
		;
	if (!(SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN))
		give_up("close_notify");
	SSL_shutdown(ssl);
	resumed = SSL_session_reused(ssl);
	SSL_free(ssl);
	close(fd);
	return resumed;
}

/* The first handshake of each client is full, and not counted. */
static void run_client(SSL_CTX *context, long count, int ready, int go,
		       long *resumed)
{
	char byte = 0;

	connect_once(context);
	if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) < 0)
		give_up("start");
	while (count-- > 0) *resumed += connect_once(context);
}

static void wait_for_all(long clients)
{
	for (long i = 0; i < clients; i++) {
		int status;

		if (wait(&status) < 0 || status != 0) {
			kill(0, SIGTERM);
			_exit(111);
		}
	}
}

static void run(SSL_CTX *context, long count, long clients)
{
	long *resumed =
		mmap(NULL, sizeof *resumed * (size_t)clients,
		     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int ready[2], go[2];
	long sum = 0;
	double begin;
	char byte;

	if (resumed == MAP_FAILED || pipe(ready) < 0 || pipe(go) < 0)
		give_up("start");
	for (long i = 0; i < clients; i++) {
		if (fork() != 0) continue;
		close(go[1]);
		run_client(context, count / clients, ready[1], go[0],
			   resumed + i);
		_exit(0);
	}
	close(ready[1]);
	for (long i = 0; i < clients; i++)
		if (read(ready[0], &byte, 1) != 1) give_up("a client");
	begin = seconds();
	close(go[1]);
	wait_for_all(clients);
	count = count / clients * clients;
	begin = seconds() - begin;
	for (long i = 0; i < clients; i++) sum += resumed[i];
	printf("%.1f %.3f\n", (double)count / begin,
	       (double)sum / (double)count);
}

int main(int argc, char **argv)
{
	long port, count, clients;

	resumes = argc > 1 && strcmp(argv[1], "-r") == 0;
	if (argc - resumes != 4) return 100;
	argv += resumes;
	port = atol(argv[1]);
	count = atol(argv[2]);
	clients = atol(argv[3]);
	if (port < 1 || clients < 1 || count < clients) return 100;
	server.sin_port = htons((unsigned short)port);
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	signal(SIGPIPE, SIG_IGN);
	run(make_context(), count, clients);
	return 0;
}
