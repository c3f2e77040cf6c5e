/* SPDX-License-Identifier: ISC */
#include "inquiry.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/message.h"
#include "mail/early_talker.h"

enum {
	EXIT_DROPPED = 1, /* as of greetdelay */
	MOMENT_MS = 3,    /* longer than it takes to ask a server nearby */
};

static void hurry(struct inquiry *inquiry)
{
	inquiry->hurry_at = DEADLINE_NEVER;
	for (size_t i = 0; i < inquiry->settings->count; i++)
		look_up_hurry(&inquiry->look_ups[i]);
}

void inquiry_start(struct inquiry *inquiry, const struct settings *settings,
		   const struct client *client)
{
	bool has_ip = client->ip.family != NET_NONE;

	inquiry->settings = settings;
	inquiry->client = client;
	if (settings->count == 0) return;
	if (!has_ip) warn("the client has no address to look up");
	if (dns_open(&inquiry->dns, getenv("DNSCACHEIP")) < 0)
		warn("DNSCACHEIP is no list of addresses");
	for (size_t i = 0; i < settings->count; i++) {
		struct look_up *look_up = &inquiry->look_ups[i];

		look_up->entry = &settings->entries[i];
		look_up->is_to_be_shown = settings->only_explain;
		if (has_ip) look_up_start(look_up, &inquiry->dns, &client->ip);
		else look_up->address = look_up->text = BROKEN;
	}
	inquiry->lookup_end = deadline_in(settings->lookup_seconds);
	inquiry->hurry_at = deadline_in(0) + MOMENT_MS;
	if (settings->only_explain) hurry(inquiry);
}

static void give_up(struct inquiry *inquiry)
{
	for (size_t i = 0; i < inquiry->settings->count; i++)
		look_up_give_up(&inquiry->look_ups[i]);
}

static struct verdict verdict_so_far(const struct inquiry *inquiry)
{
	return verdict_of(inquiry->settings, inquiry->look_ups);
}

struct verdict inquiry_whole_verdict(struct inquiry *inquiry)
{
	(void)dns_wait(&inquiry->dns, inquiry->lookup_end);
	give_up(inquiry);
	return verdict_so_far(inquiry);
}

static void let_client_wait(struct inquiry *inquiry)
{
	unsigned long seconds = inquiry->settings->wait.seconds;

	if (seconds == 0) return;
	inquiry->client_waits = true;
	inquiry->wait_end = deadline_in(seconds);
	client_log(inquiry->client, "greetdelay: %lu", seconds);
}

/* Who may not talk meanwhile may not go either; others who go are not waited
   for. */
static void heed(struct inquiry *inquiry, enum early_talker_sign sign)
{
	if (sign == EARLY_TALKER_WAITS) return;
	inquiry->client_waits = false;
	if (!inquiry->settings->wait.drop) return;
	early_talker_log(program_name, sign);
	if (sign == EARLY_TALKER_SPOKE)
		early_talker_refuse(STDIN_FILENO, STDOUT_FILENO);
	exit(EXIT_DROPPED);
}

/* In poll's form, where -1 is never. */
static int sooner(int timeout, int other)
{
	return timeout < 0 || (other >= 0 && other < timeout) ? other : timeout;
}

/* Until something has happened. */
static void wait_a_moment(struct inquiry *inquiry, bool lists_matter)
{
	struct pollfd watched[2] = { { .fd = -1 }, { .fd = -1 } };
	struct pollfd *lists = &watched[0], *client = &watched[1];
	int timeout = -1;

	if (lists_matter) {
		lists->fd = dns_descriptor(&inquiry->dns);
		lists->events = POLLIN;
		timeout = sooner(dns_timeout(&inquiry->dns),
				 deadline_left(inquiry->lookup_end));
		timeout = sooner(timeout, deadline_left(inquiry->hurry_at));
	}
	if (inquiry->client_waits) {
		client->fd = STDIN_FILENO;
		client->events = early_talker_events(&inquiry->settings->wait);
		timeout = sooner(timeout, deadline_left(inquiry->wait_end));
	}
	if (poll(watched, 2, timeout) < 0 && errno != EINTR)
		die_temporary("unable to poll:");
	if (client->revents)
		heed(inquiry, early_talker_look(STDIN_FILENO, client->revents));
	if (lists_matter) dns_serve(&inquiry->dns);
}

static void see_what_is_over(struct inquiry *inquiry, bool lists_matter)
{
	if (lists_matter && deadline_left(inquiry->hurry_at) == 0)
		hurry(inquiry);
	if (lists_matter && deadline_left(inquiry->lookup_end) == 0)
		give_up(inquiry);
	if (inquiry->client_waits && deadline_left(inquiry->wait_end) == 0)
		inquiry->client_waits = false;
}

/* Is there nothing more to wait for? */
static bool is_settled(const struct inquiry *inquiry,
		       const struct verdict *verdict)
{
	switch (verdict->what) {
	case UNDECIDED: return false;
	case LET_IN_AT_ONCE: return true;
	case REFUSE:
		if (!inquiry->settings->only_inform) return true;
		break;
	case LET_IN: break;
	}
	return !inquiry->client_waits;
}

struct verdict inquiry_verdict(struct inquiry *inquiry)
{
	struct verdict verdict = verdict_so_far(inquiry);

	let_client_wait(inquiry);
	while (!is_settled(inquiry, &verdict)) {
		bool lists_matter = verdict.what == UNDECIDED;

		wait_a_moment(inquiry, lists_matter);
		see_what_is_over(inquiry, lists_matter);
		if (lists_matter) verdict = verdict_so_far(inquiry);
	}
	return verdict;
}
