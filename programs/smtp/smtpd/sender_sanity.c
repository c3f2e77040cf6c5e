/* SPDX-License-Identifier: ISC */
#include "sender_sanity.h"

#include <string.h>

#include "mail/address.h"
#include "replies.h"

bool sender_is_null(const char *sender)
{
	return *sender == '\0' || strcmp(sender, "#@[]") == 0;
}

/* An address literal of IPv6 has no dot, and needs none. */
static bool has_dot(const char *domain)
{
	struct net_ip ip;

	return strchr(domain, '.') || address_literal(domain, &ip) == 0;
}

static const char *check_form(const char *sender)
{
	const char *domain = address_domain(sender);

	if (!domain) return REPLY_SENDER_WITHOUT_AT;
	if (domain - 1 == sender || *domain == '\0')
		return REPLY_SENDER_WITHOUT_PART;
	return has_dot(domain) ? NULL : REPLY_SENDER_WITHOUT_DOT;
}

const char *sender_sanity_check(struct session *session)
{
	const struct policy *policy = &session->settings.policy;
	const char *sender = session->address.data;

	if (sender_is_null(sender))
		return policy->refuse_bounces ? REPLY_NO_BOUNCES : NULL;
	return policy->sanity_check ? check_form(sender) : NULL;
}

const char *sender_sanity_check_recipient(struct session *session)
{
	const struct transaction *transaction = &session->transaction;

	if (!session->settings.policy.bounce_has_one_recipient ||
	    transaction->recipient_count == 0)
		return NULL;
	return sender_is_null(transaction->sender.data)
		       ? REPLY_ONE_BOUNCE_RECIPIENT
		       : NULL;
}
