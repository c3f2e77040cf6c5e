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

#include <stdio.h>
#include <stdlib.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "client.h"
#include "explain.h"
#include "inquiry.h"
#include "refuse.h"
#include "self_test.h"
#include "settings.h"
#include "system/process.h"

static const char failure[] = "temporary RBL lookup error";

/* What the operator should know of the lists that had a say. */
static void log_list(const struct client *client, const struct look_up *look_up)
{
	const struct entry *entry = look_up->entry;
	char text[DNS_LIST_TEXT + 1], ip[NET_IP_TEXT];

	if (look_up_is_strange(look_up))
		warn("%s: answer %s is no listing: not counted",
		     entry->list.name, net_ip_format(&look_up->judged, ip));
	if (!entry->log_only || look_up_opinion(look_up, true) != LISTED)
		return;
	look_up_reason(look_up, client->text, text);
	client_log(client, "%s, only logged: %s", entry->list.name, text);
}

static void text_of(const struct verdict *verdict, const struct client *client,
		    char text[DNS_LIST_TEXT + 1])
{
	if (verdict->reason)
		look_up_reason(verdict->reason, client->text, text);
	else snprintf(text, DNS_LIST_TEXT + 1, "%s", failure);
}

static void inform(const struct client *client, const char *text)
{
	char info[sizeof "[RBL info] " + DNS_LIST_TEXT];

	snprintf(info, sizeof info, "[RBL info] %s", text);
	client_log(client, "%s", info);
	process_set("RBLSMTPD", info);
}

static void tell_greylist(const struct verdict *verdict)
{
	char number[sizeof "-2147483648"];

	if (verdict->spoken_for && !getenv("JGREYLIST"))
		process_set("JGREYLIST", "");
	if (verdict->what == LET_IN_AT_ONCE || verdict->score <= 0) return;
	snprintf(number, sizeof number, "%d", verdict->score);
	process_set("JGREYLIST_DOUBT", number);
}

static void ask_and_decide(struct inquiry *inquiry,
			   const struct settings *settings,
			   const struct client *client)
{
	char text[DNS_LIST_TEXT + 1], reply[REFUSE_REPLY];
	struct verdict verdict;

	inquiry_start(inquiry, settings, client);
	verdict = inquiry_verdict(inquiry);
	for (size_t i = 0; i < verdict.heard; i++)
		log_list(client, &inquiry->look_ups[i]);
	if (verdict.what == REFUSE) {
		text_of(&verdict, client, text);
		refuse_reply(reply, verdict.permanent, text);
		if (!settings->only_inform)
			refuse_client(settings, client, reply);
		inform(client, text);
	}
	tell_greylist(&verdict);
}

static void ask_and_explain(struct inquiry *inquiry,
			    const struct settings *settings,
			    const struct client *client)
{
	char text[DNS_LIST_TEXT + 1], reply[REFUSE_REPLY];
	struct verdict verdict;

	inquiry_start(inquiry, settings, client);
	verdict = inquiry_whole_verdict(inquiry);
	for (size_t i = 0; i < settings->count; i++)
		explain_look_up(client, &inquiry->look_ups[i]);
	text_of(&verdict, client, text);
	refuse_reply(reply, verdict.permanent, text);
	explain_verdict(client, &verdict, reply);
}

/* $RBLSMTPD decides: empty, it lets the client in. */
static void obey_rule(const struct settings *settings,
		      const struct client *client, const char *rule)
{
	bool permanent = *rule == '-';
	char text[DNS_LIST_TEXT + 1], reply[REFUSE_REPLY];

	dns_list_fill_in(rule + permanent, client->text, text);
	refuse_reply(reply, permanent, text);
	if (settings->only_explain) explain_rule(client, *rule ? reply : NULL);
	else if (*rule) refuse_client(settings, client, reply);
}

int main(int argc, char **argv)
{
	static struct settings settings;
	static struct inquiry inquiry;
	struct client client = client_from_environment();
	const char *rule = getenv("RBLSMTPD");

	program_name = "rblsmtpd";
	settings_read(&settings, argc, argv);
	if (settings.only_test) return self_test(&settings);
	if (settings.wait_from_environment && !settings.only_explain)
		early_talker_clear_environment();
	if (rule) obey_rule(&settings, &client, rule);
	else if (settings.only_explain)
		ask_and_explain(&inquiry, &settings, &client);
	else ask_and_decide(&inquiry, &settings, &client);
	if (*settings.next) process_run_next(settings.next);
	return EXIT_DONE;
}
