/* SPDX-License-Identifier: ISC */
#include "system/dns.h"

#include <ares.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/parse.h"

enum {
	FIRST_WAIT_MS = 1500,
	TRIES = 3,
	TICK_MS = 250, /* between looks at what has timed out */
	CLASS_IN = 1,
	UDP_ANSWER = 1232, /* fits into the packets of every network */
};

struct dns_question {
	struct dns *dns;
	dns_callback *callback; /* NULL: nobody wants to know any more */
	void *context;
	enum dns_type type;
	bool asking; /* it is on its way to c-ares */
	bool failed;
	bool is_second; /* since the first time brought half an answer */
	char name[];
};

/* The list of servers. */

static int add_server(struct dns *dns, const char *address, const char *port)
{
	size_t used = strlen(dns->servers);
	char text[NET_IP_TEXT];
	unsigned long number = 53;
	struct net_ip ip;
	int length;

	if (net_ip_parse(address, &ip) < 0) return -1;
	if (port && parse_number(port, 1, 65535, &number) < 0) return -1;
	net_ip_format(&ip, text);
	length = snprintf(dns->servers + used, sizeof dns->servers - used,
			  ip.family == NET_IPV6 ? "%s[%s]:%lu" : "%s%s:%lu",
			  used > 0 ? "," : "", text, number);
	if (length > 0 && (size_t)length < sizeof dns->servers - used) return 0;
	dns->servers[used] = '\0';
	return -1;
}

/* "1.2.3.4.5.6.7.8" is two: djb's list has a dot for a comma. */
static int add_dotted(struct dns *dns, char *word)
{
	while (word) {
		char *end = word;

		for (int i = 0; i < 4 && end; i++)
			end = strchr(i > 0 ? end + 1 : end, '.');
		if (end) *end++ = '\0';
		if (add_server(dns, word, NULL) < 0) return -1;
		word = end;
	}
	return 0;
}

static int add_word(struct dns *dns, char *word)
{
	char *end = strchr(word, ']');
	char *colon = strchr(word, ':');

	if (*word == '[') {
		if (!end || (end[1] != '\0' && end[1] != ':')) return -1;
		*end++ = '\0';
		return add_server(dns, word + 1, *end ? end + 1 : NULL);
	}
	if (!colon) return add_dotted(dns, word);
	if (strchr(colon + 1, ':')) return add_server(dns, word, NULL);
	*colon = '\0';
	return add_server(dns, word, colon + 1);
}

int dns_open(struct dns *dns, const char *servers)
{
	char text[sizeof dns->servers], *rest = text, *word;

	*dns = (struct dns){ .epoll = -1 };
	if (!servers) return 0;
	if (strlen(servers) >= sizeof text) {
		errno = EINVAL;
		return -1;
	}
	memcpy(text, servers, strlen(servers) + 1);
	while ((word = strsep(&rest, ", \t\n"))) {
		if (*word == '\0' || add_word(dns, word) == 0) continue;
		dns->servers[0] = '\0';
		errno = EINVAL;
		return -1;
	}
	return 0;
}

/* The channel's sockets. */

static ares_socket_t open_socket(int family, int type, int protocol,
				 void *context)
{
	(void)protocol;
	(void)context;
	return net_socket(family, type);
}

static int close_socket(ares_socket_t fd, void *context)
{
	(void)context;
	return close(fd);
}

static int connect_socket(ares_socket_t fd, const struct sockaddr *address,
			  ares_socklen_t size, void *context)
{
	(void)context;
	return connect(fd, address, size);
}

/* NOLINTNEXTLINE(readability-function-size): c-ares wants so many */
static ares_ssize_t receive(ares_socket_t fd, void *bytes, size_t length,
			    int flags, struct sockaddr *from,
			    ares_socklen_t *size, void *context)
{
	(void)context;
	return recvfrom(fd, bytes, length, flags, from, size);
}

/* One part: it may be taken for a short write, and mostly there is no other.
   That an earlier packet was refused is told once, to the next call, and here
   c-ares would take it for this question's trouble alone, while the others wait
   on: the next packet's refusal is told to those who read. */
static ares_ssize_t send_part(ares_socket_t fd, const struct iovec *parts,
			      int count, void *context)
{
	ssize_t sent = send(fd, parts->iov_base, parts->iov_len, MSG_NOSIGNAL);

	(void)count;
	(void)context;
	if (sent < 0 && errno == ECONNREFUSED)
		sent = send(fd, parts->iov_base, parts->iov_len, MSG_NOSIGNAL);
	return sent;
}

static const struct ares_socket_functions socket_functions = {
	.asocket = open_socket,
	.aclose = close_socket,
	.aconnect = connect_socket,
	.arecvfrom = receive,
	.asendv = send_part,
};

static void watch_socket(void *context, ares_socket_t fd, int readable,
			 int writable)
{
	const struct dns *dns = context;
	struct epoll_event event = { .data.fd = fd };

	if (readable) event.events |= EPOLLIN;
	if (writable) event.events |= EPOLLOUT;
	if (!event.events) {
		(void)epoll_ctl(dns->epoll, EPOLL_CTL_DEL, fd, NULL);
		return;
	}
	/* What is not watched times out. */
	if (epoll_ctl(dns->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		(void)epoll_ctl(dns->epoll, EPOLL_CTL_MOD, fd, &event);
}

/* With every setting given, even to have none of a kind, resolv.conf is not
   read: all that it may add to servers that are known is a search list. */
static int open_channel(struct dns *dns, struct ares_channeldata **channel,
			int flags)
{
	char lookups[] = "fb";
	struct ares_options options = {
		.flags = ARES_FLAG_EDNS | flags |
			 (dns->keeps_port ? ARES_FLAG_STAYOPEN : 0),
		.ednspsz = UDP_ANSWER,
		.timeout = FIRST_WAIT_MS,
		.tries = TRIES,
		.lookups = lookups,
		.sock_state_cb = watch_socket,
		.sock_state_cb_data = dns,
	};
	int given = ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS |
		    ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB;

	if (dns->servers[0] && !dns->searches)
		given |= ARES_OPT_SERVERS | ARES_OPT_DOMAINS | ARES_OPT_NDOTS |
			 ARES_OPT_SORTLIST;
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS ||
	    ares_init_options(channel, &options, given) != ARES_SUCCESS) {
		*channel = NULL;
		return -1;
	}
	ares_set_socket_functions(*channel, &socket_functions, NULL);
	return !dns->servers[0] || ares_set_servers_ports_csv(*channel,
							      dns->servers) ==
					   ARES_SUCCESS
		       ? 0
		       : -1;
}

/* A connection that ends takes all questions with it that c-ares has asked the
   same server, those by UDP too. So TCP has a channel of its own, for answers
   that were truncated; but where c-ares asks several questions for one. */
static int make_ready(struct dns *dns)
{
	if (dns->channel) return 0;
	dns->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (dns->epoll >= 0 && dns->epoll <= STDERR_FILENO) {
		int fd = dns->epoll;

		dns->epoll = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		close(fd);
	}
	if (dns->epoll >= 0 &&
	    open_channel(dns, &dns->channel,
			 dns->searches ? 0 : ARES_FLAG_IGNTC) == 0)
		return 0;
	dns_close(dns);
	return -1;
}

static int make_tcp_ready(struct dns *dns)
{
	if (dns->tcp || open_channel(dns, &dns->tcp, ARES_FLAG_USEVC) == 0)
		return 0;
	if (dns->tcp) ares_destroy(dns->tcp);
	dns->tcp = NULL;
	return -1;
}

void dns_keep_port(struct dns *dns)
{
	dns->keeps_port = true;
}

void dns_close(struct dns *dns)
{
	if (dns->channel) ares_destroy(dns->channel);
	if (dns->tcp) ares_destroy(dns->tcp);
	if (dns->epoll >= 0) close(dns->epoll);
	dns->channel = dns->tcp = NULL;
	dns->epoll = -1;
	dns->asked = dns->waiting = 0;
}

/* Questions. */

static enum dns_result result_of(int status)
{
	switch (status) {
	case ARES_SUCCESS: return DNS_FOUND;
	case ARES_ENOTFOUND:
	case ARES_ENODATA: return DNS_ABSENT;
	default: return DNS_FAILED;
	}
}

static void tell(struct dns_question *question, int status,
		 const unsigned char *message, size_t length)
{
	enum dns_result result = result_of(status);
	struct dns_answer answer = { .no_name = status == ARES_ENOTFOUND };

	if (result == DNS_FOUND) {
		int records = dns_answer_open(&answer, message, length,
					      question->type);

		if (records == 0) result = DNS_ABSENT;
		if (records < 0) result = DNS_FAILED;
	}
	question->callback(question->context, result, &answer);
}

static void take_answer(void *context, int status, int timeouts,
			unsigned char *message, int length);

/* The clock of an idle channel has stopped. False: nobody will answer. */
static bool ask(struct dns_question *question, struct ares_channeldata *channel)
{
	struct dns *dns = question->dns;

	if (dns->asked++ == 0) dns->tick = deadline_in(0) + TICK_MS;
	question->asking = true;
	ares_query(channel, question->name, CLASS_IN, (int)question->type,
		   take_answer, question);
	question->asking = false;
	return !question->failed;
}

static bool is_truncated(const unsigned char *message, int length)
{
	enum { FLAGS_AT = 2, TRUNCATED = 2 };

	return length > FLAGS_AT && message[FLAGS_AT] & TRUNCATED;
}

/* May there be more to know? c-ares itself asks once more, without EDNS, where
   a server does not know it, but only the first of its questions. */
static bool is_half(const struct dns_question *question, int status,
		    const unsigned char *message, int length)
{
	if (question->is_second || question->dns->searches) return false;
	return status == ARES_EFORMERR ||
	       ((status == ARES_SUCCESS || status == ARES_ENODATA) &&
		is_truncated(message, length));
}

static bool ask_again(struct dns_question *question, int status)
{
	struct dns *dns = question->dns;

	question->is_second = true;
	if (status == ARES_EFORMERR) return ask(question, dns->channel);
	return make_tcp_ready(dns) == 0 && ask(question, dns->tcp);
}

static void take_answer(void *context, int status, int timeouts,
			unsigned char *message, int length)
{
	struct dns_question *question = context;

	(void)timeouts;
	question->dns->asked--;
	if (question->asking) {
		question->failed = true;
		return;
	}
	if (question->callback && status != ARES_EDESTRUCTION) {
		if (is_half(question, status, message, length)) {
			if (ask_again(question, status)) return;
			status = ARES_ECONNREFUSED;
		}
		question->dns->waiting--;
		tell(question, status, message, message ? (size_t)length : 0);
	}
	free(question);
}

struct dns_question *dns_ask(struct dns *dns, const char *name,
			     enum dns_type type, dns_callback *callback,
			     void *context)
{
	size_t size = strlen(name) + 1;
	struct dns_question *question;

	if (make_ready(dns) < 0) return NULL;
	question = malloc(sizeof *question + size);
	if (!question) return NULL;
	*question = (struct dns_question){
		.dns = dns,
		.callback = callback,
		.context = context,
		.type = type,
	};
	memcpy(question->name, name, size);
	if (!ask(question, dns->channel)) {
		free(question);
		return NULL;
	}
	dns->waiting++;
	return question;
}

/* c-ares cannot take back a single question: it is left alone until it has
   been answered. */
void dns_forget(struct dns_question *question)
{
	question->dns->waiting--;
	question->callback = NULL;
}

/* Loops. */

int dns_descriptor(const struct dns *dns)
{
	return dns->epoll;
}

/* ares_timeout would look at every question, each time. */
int dns_timeout(const struct dns *dns)
{
	return dns->asked > 0 ? deadline_left(dns->tick) : -1;
}

/* A channel does not mind the other one's sockets. */
static void process(struct dns *dns, ares_socket_t readable,
		    ares_socket_t writable)
{
	ares_process_fd(dns->channel, readable, writable);
	if (dns->tcp) ares_process_fd(dns->tcp, readable, writable);
}

void dns_serve_within(struct dns *dns, int milliseconds)
{
	enum { EVENTS_IN_A_ROW = 64 };

	if (!dns->channel) return;
	/* One at a time: serving one may close another. Behind the last answer
	   there is nothing. */
	for (int i = 0; i < EVENTS_IN_A_ROW; i++) {
		struct epoll_event event;
		bool readable, writable;

		if (i > 0 && dns->asked == 0) break;
		if (epoll_wait(dns->epoll, &event, 1,
			       i > 0 ? 0 : milliseconds) != 1)
			break;
		writable = event.events & EPOLLOUT;
		readable = event.events & ~(unsigned)EPOLLOUT;
		process(dns, readable ? event.data.fd : ARES_SOCKET_BAD,
			writable ? event.data.fd : ARES_SOCKET_BAD);
	}
	if (dns_timeout(dns) != 0) return;
	process(dns, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	dns->tick = deadline_in(0) + TICK_MS;
}

void dns_serve(struct dns *dns)
{
	dns_serve_within(dns, 0);
}

bool dns_wait(struct dns *dns, deadline end)
{
	while (dns->waiting > 0) {
		int left = deadline_left(end), timeout = dns_timeout(dns);

		if (left == 0) return false;
		if (timeout < 0 || (left > 0 && left < timeout)) timeout = left;
		dns_serve_within(dns, timeout);
	}
	return true;
}

/* Waiting for one. */

struct host_search {
	enum dns_result result;
	char *host;
};

static void take_host(void *context, enum dns_result result,
		      struct dns_answer *answer)
{
	struct host_search *search = context;
	struct dns_record record;

	search->result = result;
	if (result != DNS_FOUND) return;
	while (dns_answer_next(answer, &record))
		if (dns_record_host(answer, &record, search->host)) return;
	search->result = DNS_ABSENT;
}

enum dns_result dns_find_host(struct dns *dns, const struct net_ip *ip,
			      deadline end, char host[DNS_NAME])
{
	struct host_search search = { .result = DNS_FAILED, .host = host };
	char name[DNS_NAME];
	struct dns_question *question = dns_ask(dns, dns_reverse_name(ip, name),
						DNS_PTR, take_host, &search);

	if (question && !dns_wait(dns, end)) dns_forget(question);
	return search.result;
}

struct address_search {
	struct dns *dns;
	enum dns_result result;
	struct net_ip *list;
	size_t room;
	size_t count;
	bool abandoned; /* by its caller, who is to free it otherwise */
	bool done;
};

static void take_addresses(struct address_search *search,
			   const struct ares_addrinfo *found)
{
	const struct ares_addrinfo_node *at = found->nodes;

	for (; at && search->count < search->room; at = at->ai_next) {
		struct sockaddr_storage socket = { 0 };
		unsigned port;

		if (at->ai_addrlen > sizeof socket) continue;
		memcpy(&socket, at->ai_addr, at->ai_addrlen);
		net_ip_of_socket(&socket, &search->list[search->count], &port);
		if (search->list[search->count].family != NET_NONE)
			search->count++;
	}
}

static void end_address_search(void *context, int status, int timeouts,
			       struct ares_addrinfo *found)
{
	struct address_search *search = context;

	(void)timeouts;
	search->dns->asked--;
	search->done = true;
	if (search->abandoned) {
		free(search);
	} else {
		search->dns->waiting--;
		search->result = status == ARES_EBADNAME ? DNS_ABSENT
							 : result_of(status);
		if (found && search->result == DNS_FOUND) {
			take_addresses(search, found);
			if (search->count == 0) search->result = DNS_ABSENT;
		}
	}
	if (found) ares_freeaddrinfo(found);
}

enum dns_result dns_find_addresses(struct dns *dns, const char *name,
				   deadline end, struct net_ip *list,
				   size_t room, size_t *count)
{
	const struct ares_addrinfo_hints hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
	};
	struct address_search *search;
	enum dns_result result;

	*count = 0;
	if (!dns->searches && dns->asked == 0) {
		dns_close(dns);
		dns->searches = true;
	}
	if (make_ready(dns) < 0) return DNS_FAILED;
	search = malloc(sizeof *search);
	if (!search) return DNS_FAILED;
	*search = (struct address_search){
		.dns = dns,
		.result = DNS_FAILED,
		.list = list,
		.room = room,
	};
	if (dns->asked++ == 0) dns->tick = deadline_in(0) + TICK_MS;
	dns->waiting++;
	ares_getaddrinfo(dns->channel, name, NULL, &hints, end_address_search,
			 search);
	(void)dns_wait(dns, end);
	result = search->result;
	*count = search->count;
	if (search->done) {
		free(search);
	} else {
		search->abandoned = true;
		dns->waiting--;
	}
	return result;
}
