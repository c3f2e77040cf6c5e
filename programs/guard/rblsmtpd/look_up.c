/* SPDX-License-Identifier: ISC */
#include "look_up.h"

#include <stdio.h>
#include <string.h>

/* Each of the two answers may have the other one asked for. */
static void ask_for_address(struct look_up *);
static void ask_for_text(struct look_up *);

static enum progress progress_of(enum dns_result result)
{
	switch (result) {
	case DNS_FOUND: return HAS_RECORDS;
	case DNS_ABSENT: return HAS_NONE;
	case DNS_FAILED: break;
	}
	return BROKEN;
}

static void show_addresses(struct look_up *look_up, struct dns_answer answer)
{
	enum { ENOUGH = 200 };
	struct dns_record record;
	struct net_ip ip;
	char text[NET_IP_TEXT];

	while (look_up->addresses.length < ENOUGH &&
	       dns_answer_next(&answer, &record)) {
		if (!dns_record_ip(&answer, &record, &ip)) continue;
		str_append_byte(&look_up->addresses, ' ');
		str_append_text(&look_up->addresses, net_ip_format(&ip, text));
	}
}

static void take_address(void *context, enum dns_result result,
			 struct dns_answer *answer)
{
	struct look_up *look_up = context;

	look_up->address = progress_of(result);
	if (result != DNS_FOUND) return;
	if (look_up->is_to_be_shown) show_addresses(look_up, *answer);
	look_up->judgement = dns_list_judge_all(&look_up->entry->list, answer,
						&look_up->judged);
	if (look_up->judgement == DNS_LIST_COUNTS) ask_for_text(look_up);
}

/* A record without a text lists nobody. */
static void take_text(void *context, enum dns_result result,
		      struct dns_answer *answer)
{
	struct look_up *look_up = context;

	look_up->text = progress_of(result);
	if (result != DNS_FOUND) return;
	if (!dns_list_text(answer, look_up->listed_as)) look_up->text = BROKEN;
	else if (!*look_up->listed_as) look_up->text = HAS_NONE;
	else ask_for_address(look_up);
}

static enum progress ask(struct look_up *look_up, enum dns_type type,
			 dns_callback *callback)
{
	char name[DNS_NAME];

	dns_list_question(&look_up->entry->list, look_up->ip, name);
	return dns_ask(look_up->dns, name, type, callback, look_up) ? AWAITED
								    : BROKEN;
}

static void ask_for_address(struct look_up *look_up)
{
	if (look_up->address == NOT_ASKED)
		look_up->address = ask(look_up, DNS_A, take_address);
}

/* A list that has a message or a secret, or speaks for the client, is not asked
   to say anything to it. */
static void ask_for_text(struct look_up *look_up)
{
	const struct dns_list *list = &look_up->entry->list;

	if (look_up->text == NOT_ASKED && !list->message && !list->has_secret &&
	    !dns_list_speaks_for(list))
		look_up->text = ask(look_up, DNS_TXT, take_text);
}

void look_up_start(struct look_up *look_up, struct dns *dns,
		   const struct net_ip *ip)
{
	look_up->dns = dns;
	look_up->ip = ip;
	if (dns_list_is_by_text(&look_up->entry->list)) ask_for_text(look_up);
	else ask_for_address(look_up);
}

void look_up_hurry(struct look_up *look_up)
{
	if (look_up->text == AWAITED) ask_for_address(look_up);
	else if (look_up->address == AWAITED) ask_for_text(look_up);
}

void look_up_give_up(struct look_up *look_up)
{
	if (look_up->address == AWAITED) look_up->address = BROKEN;
	if (look_up->text == AWAITED) look_up->text = BROKEN;
}

static enum opinion opinion_of_addresses(const struct look_up *look_up)
{
	switch (look_up->address) {
	case NOT_ASKED:
	case AWAITED: return AWAITED_OPINION;
	case BROKEN: return NO_OPINION;
	case HAS_NONE: return NOT_LISTED;
	case HAS_RECORDS: break;
	}
	/* It might have spoken for the client; that it is on a list that does
	   not serve us is never held against it. */
	if (look_up->judgement == DNS_LIST_NO_SERVE &&
	    look_up->entry->fail_closed &&
	    dns_list_speaks_for(&look_up->entry->list))
		return NO_OPINION;
	return look_up->judgement == DNS_LIST_COUNTS ? LISTED : NOT_LISTED;
}

/* The text decides. The addresses beside it only tell whether it is a list that
   speaks: there may be none. */
static enum opinion opinion_of_text(const struct look_up *look_up)
{
	switch (look_up->text) {
	case NOT_ASKED:
	case AWAITED: return AWAITED_OPINION;
	case BROKEN: return NO_OPINION;
	case HAS_NONE: return NOT_LISTED;
	case HAS_RECORDS: break;
	}
	if (look_up->address == HAS_NONE) return LISTED;
	return opinion_of_addresses(look_up);
}

enum opinion look_up_opinion(const struct look_up *look_up, bool text_wanted)
{
	enum opinion opinion;

	if (dns_list_is_by_text(&look_up->entry->list))
		return opinion_of_text(look_up);
	opinion = opinion_of_addresses(look_up);
	if (opinion == LISTED && text_wanted && look_up->text == AWAITED)
		return AWAITED_OPINION;
	return opinion;
}

void look_up_reason(const struct look_up *look_up, const char *ip,
		    char text[DNS_LIST_TEXT + 1])
{
	const struct dns_list *list = &look_up->entry->list;

	if (list->message) dns_list_fill_in(list->message, ip, text);
	else if (look_up->text == HAS_RECORDS)
		memcpy(text, look_up->listed_as, DNS_LIST_TEXT + 1);
	else
		snprintf(text, DNS_LIST_TEXT + 1, "blocked using %.180s",
			 list->name);
}

bool look_up_is_strange(const struct look_up *look_up)
{
	if (look_up->address != HAS_RECORDS) return false;
	if (dns_list_is_by_text(&look_up->entry->list) &&
	    look_up->text != HAS_RECORDS)
		return false;
	return look_up->judgement == DNS_LIST_FOREIGN ||
	       look_up->judgement == DNS_LIST_NO_SERVE;
}
