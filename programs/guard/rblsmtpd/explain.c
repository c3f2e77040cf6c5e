/* SPDX-License-Identifier: ISC */
#include "explain.h"

static const char *addresses_of(const struct look_up *look_up)
{
	return look_up->addresses.length > 0 ? look_up->addresses.data : "";
}

static void explain_listing(const struct client *client,
			    const struct look_up *look_up)
{
	const struct dns_list *list = &look_up->entry->list;
	char text[DNS_LIST_TEXT + 1] = "";

	if (!dns_list_speaks_for(list))
		look_up_reason(look_up, client->text, text);
	client_log(client, "%s: listed%s, weight %d%s%s%s", list->name,
		   addresses_of(look_up), list->weight,
		   look_up->entry->log_only ? ", only logged" : "",
		   *text ? ": " : "", text);
}

void explain_look_up(const struct client *client, const struct look_up *look_up)
{
	const char *name = look_up->entry->list.name;

	switch (look_up_opinion(look_up, true)) {
	case LISTED: explain_listing(client, look_up); return;
	case NOT_LISTED:
		client_log(client, "%s: not listed%s%s", name,
			   look_up->address == HAS_RECORDS ? ", in spite of"
							   : "",
			   addresses_of(look_up));
		return;
	case NO_OPINION:
	case AWAITED_OPINION: break;
	}
	client_log(client, "%s: no answer%s", name, addresses_of(look_up));
}

void explain_verdict(const struct client *client, const struct verdict *verdict,
		     const char *reply)
{
	switch (verdict->what) {
	case REFUSE:
		client_log(client, "would refuse it, score %d: %s",
			   verdict->score, reply);
		break;
	case LET_IN_AT_ONCE:
		client_log(client, "would let it in, whatever else is said");
		break;
	case UNDECIDED:
	case LET_IN:
		client_log(client, "would let it in, score %d", verdict->score);
		break;
	}
}

void explain_rule(const struct client *client, const char *reply)
{
	if (reply)
		client_log(client, "would refuse it, by RBLSMTPD: %s", reply);
	else client_log(client, "would let it in, by RBLSMTPD");
}
