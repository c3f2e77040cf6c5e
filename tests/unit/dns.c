/* Questions to the DNS: a server of our own answers them as it is told, when
   it is told, or not at all.
   SPDX-License-Identifier: ISC */
#include "system/dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap.h"

static void test_servers(void)
{
	static const struct {
		const char *text;
		const char *wanted; /* NULL: not a list */
	} rows[] = {
		{ "", "" },
		{ "192.0.2.1", "192.0.2.1:53" },
		{ "192.0.2.1:5353", "192.0.2.1:5353" },
		{ "::1", "[::1]:53" },
		{ "[::1]", "[::1]:53" },
		{ "[2001:DB8::1]:1", "[2001:db8::1]:1" },
		{ "::ffff:192.0.2.1", "192.0.2.1:53" },
		{ "192.0.2.1,192.0.2.2:54", "192.0.2.1:53,192.0.2.2:54" },
		{ " 192.0.2.1  ::1 ", "192.0.2.1:53,[::1]:53" },
		{ "192.0.2.1\t,::1,", "192.0.2.1:53,[::1]:53" },
		{ "1.2.3.4.5.6.7.8", "1.2.3.4:53,5.6.7.8:53" },
		{ "1.2.3.4.5.6.7.8.9.10.11.12 ::1",
		  "1.2.3.4:53,5.6.7.8:53,9.10.11.12:53,[::1]:53" },
		{ "1.2.3.4.5.6.7", NULL },
		{ "1.2.3.4.", NULL },
		{ "1.2.3", NULL },
		{ "host", NULL },
		{ "1.2.3.4:", NULL },
		{ "1.2.3.4:0", NULL },
		{ "1.2.3.4:65536", NULL },
		{ "1.2.3.4:53x", NULL },
		{ "[1.2.3.4", NULL },
		{ "[::1]53", NULL },
		{ "[::1]:", NULL },
		{ "[]", NULL },
		{ "1.2.3.4,host", NULL },
	};
	struct dns dns;
	char many[2000] = "";

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int result = dns_open(&dns, rows[i].text);

		is_text(result < 0 ? NULL : dns.servers, rows[i].wanted,
			rows[i].text);
		if (result < 0) is_text(dns.servers, "", "nothing is left");
		is_number(dns_descriptor(&dns), -1, "nothing is open");
		is_number(dns_timeout(&dns), -1, "nothing to wait for");
		dns_close(&dns);
	}
	is_number(dns_open(&dns, NULL), 0, "no list");
	dns_close(&dns);
	for (int i = 0; i < 300; i++) strcat(many, "::1 ");
	errno = 0;
	is_number(dns_open(&dns, many), -1, "too many");
	is_number(errno, EINVAL, "is EINVAL");
}

enum { MOST_FDS = 64 };

/* The server. */

static int server;
static char list[40];

static void start_server(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof address;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server = socket(AF_INET, SOCK_DGRAM, 0);
	if (bind(server, (struct sockaddr *)&address, size) < 0 ||
	    getsockname(server, (struct sockaddr *)&address, &size) < 0)
		perror("bind");
	snprintf(list, sizeof list, "127.0.0.1:%d", ntohs(address.sin_port));
}

struct query {
	unsigned char bytes[512];
	size_t length;
	struct sockaddr_in from;
};

static void take_query(struct query *query)
{
	socklen_t size = sizeof query->from;
	struct pollfd wait = { .fd = server, .events = POLLIN };
	ssize_t length;

	poll(&wait, 1, 5000);
	length = recvfrom(server, query->bytes, sizeof query->bytes,
			  MSG_DONTWAIT, (struct sockaddr *)&query->from, &size);
	query->length = length < 0 ? 0 : (size_t)length;
	ok(length > 12, "it is asked");
}

/* The question again, and the record behind it, whose owner is the root. */
static void answer(const struct query *query, unsigned char code, int type,
		   const char *data, size_t length)
{
	unsigned char reply[1024];
	/* The query's OPT record, 11 bytes, is left out. */
	size_t at = query->length - 11;

	memcpy(reply, query->bytes, at);
	reply[2] = 0x81;
	reply[3] = (unsigned char)(0x80 | code);
	reply[7] = data ? 1 : 0;
	reply[11] = 0;
	if (data) {
		memcpy(reply + at, "\0\0\0\0\1\0\0\0\1\0\0", 11);
		reply[at + 2] = (unsigned char)type;
		reply[at + 10] = (unsigned char)length;
		memcpy(reply + at + 11, data, length);
		at += 11 + length;
	}
	if (sendto(server, reply, at, 0, (const struct sockaddr *)&query->from,
		   sizeof query->from) < 0)
		perror("sendto");
}

/* What a callback saw. */
struct seen {
	int calls;
	enum dns_result result;
	char host[DNS_NAME];
	char ip[NET_IP_TEXT];
};

static void note(void *context, enum dns_result result, struct dns_answer *got)
{
	struct seen *seen = context;
	struct dns_record record;
	struct net_ip ip;

	seen->calls++;
	seen->result = result;
	while (result == DNS_FOUND && dns_answer_next(got, &record)) {
		dns_record_host(got, &record, seen->host);
		if (dns_record_ip(got, &record, &ip))
			net_ip_format(&ip, seen->ip);
	}
}

static void test_answers(void)
{
	struct seen host = { 0 }, address = { 0 }, absent = { 0 },
		    empty = { 0 }, broken = { 0 };
	struct query queries[5];
	bool open_before[MOST_FDS];
	struct dns dns;

	for (int fd = 0; fd < MOST_FDS; fd++)
		open_before[fd] = fcntl(fd, F_GETFD) >= 0;
	dns_open(&dns, list);
	ok(dns_ask(&dns, "1.2.0.192.in-addr.arpa", DNS_PTR, note, &host) &&
		   dns_ask(&dns, "mail.test", DNS_AAAA, note, &address) &&
		   dns_ask(&dns, "no.test", DNS_A, note, &absent) &&
		   dns_ask(&dns, "empty.test", DNS_A, note, &empty) &&
		   dns_ask(&dns, "broken.test", DNS_A, note, &broken),
	   "five questions at once");
	ok(dns_descriptor(&dns) > STDERR_FILENO, "its descriptor is no pipe's");
	ok(fcntl(dns_descriptor(&dns), F_GETFD) & FD_CLOEXEC,
	   "nor is it inherited");
	for (int fd = STDERR_FILENO + 1; fd < MOST_FDS; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags >= 0 && !open_before[fd])
			ok(flags & FD_CLOEXEC, "nor is any other one");
	}
	ok(dns_timeout(&dns) >= 0, "there is something to wait for");
	for (size_t i = 0; i < 5; i++) take_query(&queries[i]);
	is_number(host.calls, 0, "no answer before there is one");
	answer(&queries[4], 0, DNS_A, "\1\2\3", 3);
	answer(&queries[3], 0, 0, NULL, 0);
	answer(&queries[2], 3, 0, NULL, 0);
	answer(&queries[1], 0, DNS_AAAA, " \1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1",
	       16);
	answer(&queries[0], 0, DNS_PTR, "\4MAIL\4test\0", 11);
	ok(dns_wait(&dns, deadline_in(5)), "all are answered");
	is_text(host.host, "mail.test", "a host's name");
	is_text(address.ip, "2001:db8::1", "an address");
	is_number(absent.result, DNS_ABSENT, "no such name");
	is_number(empty.result, DNS_ABSENT, "no such record");
	is_number(broken.result, DNS_FOUND, "a record that is no address");
	is_text(broken.ip, "", "gives none");
	is_number(host.calls + address.calls + absent.calls + empty.calls +
			  broken.calls,
		  5, "each one once");
	is_number(dns_timeout(&dns), -1, "nothing more to wait for");
	dns_close(&dns);
}

/* An answer that comes too late finds nobody. */
static void test_forgetting(void)
{
	struct seen late = { 0 }, kept = { 0 };
	struct dns_question *question;
	struct query first, second;
	struct dns dns;

	dns_open(&dns, list);
	question = dns_ask(&dns, "late.test", DNS_A, note, &late);
	take_query(&first);
	ok(!dns_wait(&dns, deadline_in(0)), "a deadline passes");
	dns_forget(question);
	ok(dns_wait(&dns, deadline_in(0)), "nobody waits any more");
	ok(dns_ask(&dns, "kept.test", DNS_A, note, &kept), "another one");
	take_query(&second);
	answer(&first, 0, DNS_A, "\1\2\3\4", 4);
	answer(&second, 0, DNS_A, "\5\6\7\x08", 4);
	ok(dns_wait(&dns, deadline_in(5)), "is answered");
	is_text(kept.ip, "5.6.7.8", "with its own answer");
	is_number(late.calls, 0, "the late one is nobody's");

	ok(dns_ask(&dns, "open.test", DNS_A, note, &late), "a third one");
	dns_close(&dns);
	is_number(late.calls, 0, "is forgotten at the end");
	is_number(dns_descriptor(&dns), -1, "nothing is open");
	take_query(&first);
}

/* True when it has got all that it wants instead. */
static bool serve_until_asked(struct dns *dns)
{
	struct pollfd fds[] = {
		{ .fd = dns_descriptor(dns), .events = POLLIN },
		{ .fd = server, .events = POLLIN },
	};

	while (dns->waiting > 0 && !(fds[1].revents & POLLIN) &&
	       poll(fds, 2, 5000) > 0)
		if (fds[0].revents) dns_serve(dns);
	return dns->waiting == 0;
}

static void test_failures(void)
{
	struct seen refused = { 0 }, again = { 0 };
	struct query query;
	struct dns dns;
	char label[80];

	dns_open(&dns, list);
	memset(label, 'a', sizeof label);
	label[sizeof label - 1] = '\0';
	ok(!dns_ask(&dns, label, DNS_A, note, &refused),
	   "a name that is none cannot be asked for");
	is_number(refused.calls, 0, "and nobody is called");
	ok(dns_wait(&dns, deadline_in(0)), "or waited for");
	is_number(dns_timeout(&dns), -1, "there is nothing");

	ok(dns_ask(&dns, "fail.test", DNS_A, note, &refused), "SERVFAIL");
	for (int i = 0; i < 3; i++) {
		take_query(&query);
		answer(&query, 2, 0, NULL, 0);
		if (serve_until_asked(&dns)) break;
	}
	is_number(refused.calls, 1, "is told");
	is_number(refused.result, DNS_FAILED, "as a failure");

	/* Nobody listens there any more: the system says so at once. */
	close(server);
	ok(!dns_ask(&dns, "gone.test", DNS_A, note, &again) ||
		   (dns_wait(&dns, deadline_in(10)) &&
		    again.result == DNS_FAILED),
	   "no server: a failure, now or later");
	dns_close(&dns);
}

int main(void)
{
	test_servers();
	start_server();
	test_answers();
	test_forgetting();
	test_failures();
	return done_testing();
}
