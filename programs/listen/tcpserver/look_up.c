/* SPDX-License-Identifier: ISC */
#include "look_up.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/message.h"
#include "server.h"
#include "system/ident.h"

enum {
	NAMES_CHECKED = 4, /* of a client's; one is usual */

	/* Seconds that a local name is believed. */
	NAME_LASTS = 300,
	FAILURE_LASTS = 10,
};

struct look_up;

/* A name that the client's address has, and whether the name has the address
   (-p). */
struct candidate {
	struct look_up *look_up;
	struct dns_question *question; /* NULL: not asked, or answered */
	bool right;
	char host[DNS_NAME];
};

/* Of one client. */
struct look_up {
	struct server *server;
	struct client *client;
	struct dns_question *local;
	struct dns_question *remote;
	struct candidate candidates[NAMES_CHECKED];
	size_t candidate_count;
	struct ident ident;
	char host[DNS_NAME];
	char info[IDENT_INFO];
};

void prepare_look_ups(struct server *server)
{
	if (dns_open(&server->look_ups.dns, getenv("DNSCACHEIP")) == 0) return;
	if (server->settings->verbosity != QUIET)
		warn("DNSCACHEIP is no list of addresses: asking the servers "
		     "of "
		     "/etc/resolv.conf");
}

/* Only an arrival has a deadline. */
static bool is_arrival(const struct client *client)
{
	return client->until != 0;
}

/* The server's own name. */

static const struct local_name *find_local(const struct look_ups *look_ups,
					   const char *ip)
{
	for (size_t i = 0; i < LOCAL_NAMES; i++) {
		const struct local_name *name = &look_ups->local[i];

		if (strcmp(name->ip, ip) == 0 && deadline_left(name->until) > 0)
			return name;
	}
	return NULL;
}

static void keep_local(struct look_ups *look_ups, const char *ip,
		       const char *host, unsigned long seconds)
{
	struct local_name *name = NULL;

	for (size_t i = 0; i < LOCAL_NAMES; i++)
		if (strcmp(look_ups->local[i].ip, ip) == 0)
			name = &look_ups->local[i];
	if (!name) {
		name = &look_ups->local[look_ups->next_local];
		look_ups->next_local = (look_ups->next_local + 1) % LOCAL_NAMES;
	}
	memcpy(name->ip, ip, strlen(ip) + 1);
	memcpy(name->host, host, strlen(host) + 1);
	name->until = deadline_in(seconds);
}

/* Answers of the DNS. They come while the loop serves it, so the client may go
   on from there, and be gone. */

static bool next_host(struct dns_answer *answer, char host[DNS_NAME])
{
	struct dns_record record;

	while (dns_answer_next(answer, &record))
		if (dns_record_host(answer, &record, host)) return true;
	return false;
}

static void take_local(void *context, enum dns_result result,
		       struct dns_answer *answer)
{
	struct look_up *look_up = context;
	char host[DNS_NAME] = "";

	look_up->local = NULL;
	if (result == DNS_FOUND && !next_host(answer, host)) host[0] = '\0';
	keep_local(&look_up->server->look_ups, look_up->client->local_ip, host,
		   result == DNS_FAILED ? FAILURE_LASTS : NAME_LASTS);
	serve_arrival(look_up->server, look_up->client);
}

static void take_address(void *context, enum dns_result result,
			 struct dns_answer *answer)
{
	struct candidate *candidate = context;
	struct look_up *look_up = candidate->look_up;
	struct dns_record record;
	struct net_ip ip;

	candidate->question = NULL;
	while (result == DNS_FOUND && dns_answer_next(answer, &record))
		if (dns_record_ip(answer, &record, &ip) &&
		    net_ip_equal(&ip, &look_up->client->ip))
			candidate->right = true;
	serve_arrival(look_up->server, look_up->client);
}

static void take_candidates(struct look_up *look_up, struct dns_answer *answer)
{
	struct dns *dns = &look_up->server->look_ups.dns;
	bool ipv6 = look_up->client->ip.family == NET_IPV6;

	while (look_up->candidate_count < NAMES_CHECKED) {
		struct candidate *candidate =
			&look_up->candidates[look_up->candidate_count];

		if (!next_host(answer, candidate->host)) break;
		candidate->look_up = look_up;
		candidate->question =
			dns_ask(dns, candidate->host, ipv6 ? DNS_AAAA : DNS_A,
				take_address, candidate);
		look_up->candidate_count++;
	}
}

static void take_remote(void *context, enum dns_result result,
			struct dns_answer *answer)
{
	struct look_up *look_up = context;

	look_up->remote = NULL;
	if (result == DNS_FOUND) {
		if (look_up->server->settings->check_host)
			take_candidates(look_up, answer);
		else if (!next_host(answer, look_up->host))
			look_up->host[0] = '\0';
	}
	serve_arrival(look_up->server, look_up->client);
}

/* The first right one of those before which none is open. */
static bool candidates_are_settled(struct look_up *look_up)
{
	for (size_t i = 0; i < look_up->candidate_count; i++) {
		const struct candidate *candidate = &look_up->candidates[i];

		if (candidate->question) return false;
		if (!candidate->right) continue;
		memcpy(look_up->host, candidate->host, DNS_NAME);
		return true;
	}
	return true;
}

/* Beginning and end. */

static int watch(const struct server *server, int fd, unsigned events,
		 void *client)
{
	struct epoll_event event = { .events = events, .data.ptr = client };

	return epoll_ctl(server->arrivals.epoll, EPOLL_CTL_ADD, fd, &event);
}

static struct dns_question *ask_for_name(struct look_up *look_up,
					 const struct net_ip *ip,
					 dns_callback *callback)
{
	struct look_ups *look_ups = &look_up->server->look_ups;
	struct dns_question *question;
	char name[DNS_NAME];

	question = dns_ask(&look_ups->dns, dns_reverse_name(ip, name), DNS_PTR,
			   callback, look_up);
	if (question && !look_ups->dns_is_watched)
		look_ups->dns_is_watched =
			watch(look_up->server, dns_descriptor(&look_ups->dns),
			      EPOLLIN, NULL) == 0;
	return question;
}

/* The program of another client may hold the socket open, until its exec is
   through: closing is not enough, and its event would be for one who is gone. */
static void end_ident(struct look_up *look_up)
{
	const struct server *server = look_up->server;
	int fd = look_up->ident.fd;

	if (fd < 0) return;
	(void)epoll_ctl(server->arrivals.epoll, EPOLL_CTL_DEL, fd, NULL);
	ident_close(&look_up->ident);
}

static void ask_for_info(struct look_up *look_up, const struct net_ip *local_ip)
{
	const struct client *client = look_up->client;
	const struct ident_connection connection = {
		.local_ip = *local_ip,
		.local_port = client->local_port,
		.remote_ip = client->ip,
		.remote_port = client->remote_port,
		.scope = client->scope,
	};

	if (ident_open(&look_up->ident, &connection, IDENT_PORT) < 0) return;
	if (watch(look_up->server, look_up->ident.fd,
		  EPOLLIN | EPOLLOUT | EPOLLET, look_up->client) < 0)
		ident_close(&look_up->ident);
}

static struct look_up *begin(struct server *server, struct client *client,
			     bool local_is_known)
{
	const struct settings *settings = server->settings;
	struct look_up *look_up = calloc(1, sizeof *look_up);
	struct net_ip local_ip;

	if (!look_up) return NULL;
	look_up->server = server;
	look_up->client = client;
	look_up->ident.fd = -1;
	if (net_ip_parse(client->local_ip, &local_ip) == 0 && !local_is_known) {
		look_up->local = ask_for_name(look_up, &local_ip, take_local);
		if (!look_up->local)
			keep_local(&server->look_ups, client->local_ip, "",
				   FAILURE_LASTS);
	}
	if (settings->look_up_host && client->ip.family != NET_NONE)
		look_up->remote =
			ask_for_name(look_up, &client->ip, take_remote);
	if (settings->look_up_info) ask_for_info(look_up, &local_ip);
	return look_up;
}

static void serve_ident(struct look_up *look_up)
{
	if (look_up->ident.fd < 0) return;
	switch (ident_serve(&look_up->ident, look_up->info)) {
	case IDENT_WAITS: return;
	case IDENT_FOUND: break;
	case IDENT_UNKNOWN: look_up->info[0] = '\0'; break;
	}
	end_ident(look_up);
}

static bool is_settled(struct look_up *look_up)
{
	bool host_is_settled =
		!look_up->remote && candidates_are_settled(look_up);

	return host_is_settled && !look_up->local && look_up->ident.fd < 0;
}

static const char *unless_empty(const char *name)
{
	return *name ? name : NULL;
}

bool look_up_names(struct server *server, struct client *client)
{
	const struct settings *settings = server->settings;
	const struct local_name *local =
		settings->local_host
			? NULL
			: find_local(&server->look_ups, client->local_ip);
	bool local_is_known = settings->local_host || local;

	client->local_host = settings->local_host;
	if (!local_is_known || settings->look_up_host ||
	    settings->look_up_info) {
		if (!is_arrival(client)) return false;
		if (!client->look_up)
			client->look_up = begin(server, client, local_is_known);
	}
	if (client->look_up) {
		serve_ident(client->look_up);
		if (!is_settled(client->look_up) && !client->late) return false;
		if (client->look_up->local)
			keep_local(&server->look_ups, client->local_ip, "",
				   FAILURE_LASTS);
		client->remote_host = unless_empty(client->look_up->host);
		client->remote_info = unless_empty(client->look_up->info);
		client->has_rule = false;
	}
	/* It may have been learnt, or given up, just now. */
	if (!settings->local_host)
		local = find_local(&server->look_ups, client->local_ip);
	if (local) client->local_host = unless_empty(local->host);
	return true;
}

void forget_names(struct client *client)
{
	struct look_up *look_up = client->look_up;

	if (!look_up) return;
	if (look_up->local) dns_forget(look_up->local);
	if (look_up->remote) dns_forget(look_up->remote);
	for (size_t i = 0; i < look_up->candidate_count; i++)
		if (look_up->candidates[i].question)
			dns_forget(look_up->candidates[i].question);
	end_ident(look_up);
	free(look_up);
	client->look_up = NULL;
}
