/* rblsmtpd: asks DNS lists about the client, and refuses its mail when they list
   it. All of them are asked at once, and heard in the order of the command line:
   what is decided is what asking them one by one would have decided.

   A list that does not answer lists nobody (unless -c is given), and one that
   answers as no list does, neither: a broken list must not stop mail.

   Takes what settings.h says, $RBLSMTPD, which decides instead of the lists, and
   the client's address. Says to the programs behind it: JGREYLIST, empty, for a
   client that a list speaks for; JGREYLIST_DOUBT, the score of one that is let
   in with some; RBLSMTPD with -i.
   SPDX-License-Identifier: ISC */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/message.h"
#include "client.h"
#include "explain.h"
#include "look_up.h"
#include "mail/early_talker.h"
#include "refuse.h"
#include "self_test.h"
#include "settings.h"
#include "system/deadline.h"
#include "system/dns.h"
#include "system/process.h"
#include "verdict.h"

enum { EXIT_DROPPED = 1 }; /* as greetdelay */

static const char failure[] = "temporary RBL lookup error";

struct guard {
	struct settings settings;
	struct client client;
	struct dns dns;
	struct look_up look_ups[MOST_LISTS];
	struct str addresses[MOST_LISTS]; /* for -n */
	deadline lookup_end;
	bool waiting; /* the client has to wait for its greeting */
	deadline wait_end;
};

static void open_dns(struct dns *dns)
{
	if (dns_open(dns, getenv("DNSCACHEIP")) < 0)
		warn("DNSCACHEIP is no list of addresses");
}

/* A client without an address cannot be looked up: as if nobody answered. */
static void ask_lists(struct guard *guard)
{
	const struct settings *settings = &guard->settings;
	bool has_ip = guard->client.ip.family != NET_NONE;

	if (settings->count == 0) return;
	if (!has_ip) warn("the client has no address to look up");
	open_dns(&guard->dns);
	for (size_t i = 0; i < settings->count; i++) {
		struct look_up *look_up = &guard->look_ups[i];

		look_up->entry = &settings->entries[i];
		if (settings->only_explain)
			look_up->addresses = &guard->addresses[i];
		if (has_ip)
			look_up_start(look_up, &guard->dns, &guard->client.ip);
		else look_up->address = look_up->text = BROKEN;
	}
	guard->lookup_end = deadline_in(settings->lookup_seconds);
}

static void give_up_lists(struct guard *guard)
{
	for (size_t i = 0; i < guard->settings.count; i++)
		look_up_give_up(&guard->look_ups[i]);
}

static void begin_wait(struct guard *guard)
{
	const struct settings *settings = &guard->settings;

	if (settings->wait.seconds == 0) return;
	guard->waiting = true;
	guard->wait_end = deadline_in(settings->wait.seconds);
	client_log(&guard->client, "greetdelay: %lu", settings->wait.seconds);
}

/* Those who may not talk meanwhile may not go either. */
static void see_sign(struct guard *guard, enum early_talker_sign sign)
{
	if (sign == EARLY_TALKER_WAITS) return;
	guard->waiting = false;
	if (!guard->settings.wait.drop) return;
	early_talker_log("rblsmtpd", sign);
	if (sign == EARLY_TALKER_SPOKE)
		early_talker_refuse(STDIN_FILENO, STDOUT_FILENO);
	exit(EXIT_DROPPED);
}

static int sooner(int timeout, int other)
{
	return timeout < 0 || (other >= 0 && other < timeout) ? other : timeout;
}

/* Until something has happened. */
static void wait_for_something(struct guard *guard, bool lists_wanted)
{
	struct pollfd watched[2] = {
		{ .fd = -1, .events = POLLIN },
		{ .fd = -1 },
	};
	int timeout = -1;

	if (lists_wanted) {
		watched[0].fd = dns_descriptor(&guard->dns);
		timeout = sooner(dns_timeout(&guard->dns),
				 deadline_left(guard->lookup_end));
	}
	if (guard->waiting) {
		watched[1].fd = STDIN_FILENO;
		watched[1].events = early_talker_events(&guard->settings.wait);
		timeout = sooner(timeout, deadline_left(guard->wait_end));
	}
	if (poll(watched, 2, timeout) < 0 && errno != EINTR)
		die_temporary("unable to poll:");
	if (lists_wanted) dns_serve(&guard->dns);
	if (watched[1].revents)
		see_sign(guard,
			 early_talker_look(STDIN_FILENO, watched[1].revents));
	if (lists_wanted && deadline_left(guard->lookup_end) == 0)
		give_up_lists(guard);
	if (guard->waiting && deadline_left(guard->wait_end) == 0)
		guard->waiting = false;
}

/* Is there nothing more to wait for? */
static bool is_settled(const struct guard *guard, const struct verdict *verdict)
{
	switch (verdict->what) {
	case UNDECIDED: return false;
	case LET_IN_AT_ONCE: return true;
	case REFUSE: return !guard->settings.only_inform || !guard->waiting;
	case LET_IN: break;
	}
	return !guard->waiting;
}

static struct verdict wait_for_verdict(struct guard *guard)
{
	struct verdict verdict = verdict_of(&guard->settings, guard->look_ups);

	while (!is_settled(guard, &verdict)) {
		wait_for_something(guard, verdict.what == UNDECIDED);
		if (verdict.what == UNDECIDED)
			verdict = verdict_of(&guard->settings, guard->look_ups);
	}
	return verdict;
}

/* What the operator should know of the lists that had a say. */
static void log_lists(const struct guard *guard, size_t heard)
{
	for (size_t i = 0; i < heard; i++) {
		const struct look_up *look_up = &guard->look_ups[i];
		const char *name = look_up->entry->list.name;
		char text[DNS_LIST_TEXT + 1], ip[NET_IP_TEXT];

		if (look_up_is_strange(look_up))
			warn("%s: answer %s is no listing: not counted", name,
			     net_ip_format(&look_up->judged, ip));
		if (!look_up->entry->log_only ||
		    look_up_opinion(look_up, true) != LISTED)
			continue;
		look_up_reason(look_up, guard->client.text, text);
		client_log(&guard->client, "%s, only logged: %s", name, text);
	}
}

static void text_of(const struct guard *guard, const struct verdict *verdict,
		    char text[DNS_LIST_TEXT + 1])
{
	if (verdict->reason)
		look_up_reason(verdict->reason, guard->client.text, text);
	else snprintf(text, DNS_LIST_TEXT + 1, "%s", failure);
}

static void set(const char *name, const char *value)
{
	if (setenv(name, value, 1) < 0)
		die_temporary("unable to set %s:", name);
}

static void tell_the_next(const struct verdict *verdict, const char *text)
{
	char number[sizeof "-2147483648"];
	char info[sizeof "[RBL info] " + DNS_LIST_TEXT];

	if (verdict->what == REFUSE) {
		snprintf(info, sizeof info, "[RBL info] %s", text);
		set("RBLSMTPD", info);
	}
	if (verdict->spoken_for && !getenv("JGREYLIST")) set("JGREYLIST", "");
	if (verdict->what == LET_IN_AT_ONCE || verdict->score <= 0) return;
	snprintf(number, sizeof number, "%d", verdict->score);
	set("JGREYLIST_DOUBT", number);
}

static void ask_and_decide(struct guard *guard)
{
	const struct settings *settings = &guard->settings;
	char text[DNS_LIST_TEXT + 1], reply[REFUSE_REPLY];
	struct verdict verdict;

	ask_lists(guard);
	begin_wait(guard);
	verdict = wait_for_verdict(guard);
	log_lists(guard, verdict.heard);
	if (verdict.what == REFUSE) {
		text_of(guard, &verdict, text);
		refuse_reply(reply, verdict.permanent, text);
		if (!settings->only_inform)
			refuse_client(settings, &guard->client, reply);
		client_log(&guard->client, "[RBL info] %s", text);
	}
	tell_the_next(&verdict, text);
}

static void explain(struct guard *guard)
{
	char text[DNS_LIST_TEXT + 1], reply[REFUSE_REPLY];
	struct verdict verdict;

	ask_lists(guard);
	(void)dns_wait(&guard->dns, guard->lookup_end);
	give_up_lists(guard);
	verdict = verdict_of(&guard->settings, guard->look_ups);
	for (size_t i = 0; i < guard->settings.count; i++)
		explain_look_up(&guard->client, &guard->look_ups[i]);
	text_of(guard, &verdict, text);
	refuse_reply(reply, verdict.permanent, text);
	explain_verdict(&guard->client, &verdict, reply);
}

/* $RBLSMTPD, when it is not empty. */
static void refuse_by_rule(const struct guard *guard, const char *rule)
{
	bool permanent = *rule == '-';
	char text[DNS_LIST_TEXT + 1], reply[REFUSE_REPLY];

	dns_list_fill_in(rule + permanent, guard->client.text, text);
	refuse_reply(reply, permanent, text);
	if (guard->settings.only_explain)
		client_log(&guard->client, "would refuse it, by RBLSMTPD: %s",
			   reply);
	else refuse_client(&guard->settings, &guard->client, reply);
}

int main(int argc, char **argv)
{
	static struct guard guard;
	const struct settings *settings = &guard.settings;
	const char *rule = getenv("RBLSMTPD");

	program_name = "rblsmtpd";
	settings_read(&guard.settings, argc, argv);
	if (settings->only_test) {
		open_dns(&guard.dns);
		return self_test(settings, &guard.dns);
	}
	guard.client = client_from_environment();
	if (settings->wait_from_environment && !settings->only_explain)
		early_talker_clear_environment();
	if (rule && *rule) refuse_by_rule(&guard, rule);
	else if (rule && settings->only_explain)
		client_log(&guard.client, "would let it in, by RBLSMTPD");
	else if (settings->only_explain) explain(&guard);
	else if (!rule) ask_and_decide(&guard);
	if (*settings->next) process_run_next(settings->next);
	return 0;
}
