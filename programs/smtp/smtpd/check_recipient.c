/* SPDX-License-Identifier: ISC */
#include "checks.h"

#include <stdbool.h>
#include <string.h>

#include "base/str.h"
#include "log.h"
#include "mail/address.h"
#include "mail/envelope.h"
#include "patterns.h"
#include "plugins.h"
#include "recipient_hosts.h"
#include "recipient_local.h"
#include "recipient_program.h"
#include "recipient_table.h"
#include "replies.h"
#include "sender_sanity.h"
#include "system/net.h"
#include "tls_clients.h"

enum { LEAST_RECIPIENTS = 100 };

static const char *transaction_is_open(struct session *session)
{
	if (!session->transaction.open) return REPLY_MAIL_FIRST;
	return session->transaction.chunks.state == CHUNKS_NONE
		       ? NULL
		       : REPLY_CHUNKS_BEGUN;
}

static const char *there_is_room(struct session *session)
{
	return session->transaction.envelope.length < RECIPIENTS_LIMIT
		       ? NULL
		       : REPLY_TOO_MANY_RECIPIENTS;
}

static const char *is_well_formed(struct session *session)
{
	struct str *recipient = &session->address;
	const char *parameters;

	if (address_parse(session->argument, recipient, &parameters) < 0 ||
	    recipient->length == 0)
		return REPLY_ADDRESS_SYNTAX;
	name_own_literal(session, recipient);
	return check_utf8(session, recipient);
}

/* The least that a client may count on (RFC 5321 section 4.5.3.1.8). */
static unsigned long tries_limit(const struct policy *policy)
{
	unsigned long limit = policy->recipients_limit;

	return limit && limit < LEAST_RECIPIENTS ? LEAST_RECIPIENTS : limit;
}

unsigned long recipients_limit(const struct session *session)
{
	const struct policy *policy = &session->settings.policy;
	unsigned long tries = tries_limit(policy);

	if (!policy->accepted_limit) return tries;
	return tries && tries < policy->accepted_limit ? tries
						       : policy->accepted_limit;
}

/* Commands are counted, accepted or not, so that one cannot try names for ever.
   The log has a line for each message, not for each command. */
static const char *there_are_not_too_many(struct session *session)
{
	unsigned long limit = tries_limit(&session->settings.policy);
	size_t tried = ++session->transaction.recipients_tried;

	if (limit == 0 || tried <= limit) return NULL;
	if (tried == limit + 1) log_event(session, "MAXRCPT fail", NULL);
	return REPLY_TOO_MANY_RECIPIENTS;
}

/* Forms that made the mailers of old pass a message on: user%elsewhere@here,
   elsewhere!user, user@elsewhere@here. */
static bool has_relay_sign(const char *address)
{
	const char *at = strrchr(address, '@');
	size_t length = at ? (size_t)(at - address) : strlen(address);

	return strcspn(address, "@%!") < length;
}

static const char *refuse_relay_probe(struct session *session)
{
	const char *ip = session->client.remote_ip;
	char shown[NET_IP_TEXT];

	str_clear(&session->refusal);
	str_append_text(&session->refusal, REPLY_RELAY_PROBE);
	str_append_text(&session->refusal, printable_text(shown, sizeof shown,
							  ip ? ip : "unknown"));
	str_append_text(&session->refusal, REPLY_RELAY_PROBE_END);
	return session->refusal.data;
}

static const char *is_no_relay_probe(struct session *session)
{
	const struct policy *policy = &session->settings.policy;

	if ((policy->refuse_relay_signs || policy->block_relay_probe) &&
	    has_relay_sign(session->address.data))
		return policy->refuse_relay_signs ? REPLY_RELAY_SIGN
						  : refuse_relay_probe(session);
	/* Here, not at the end, as in the patch that the variable is of. */
	if (policy->log_recipients)
		log_address("RCPT TO", session->address.data);
	return NULL;
}

static void append_relay_suffix(struct session *session)
{
	str_append_text(&session->address, session->settings.relay_suffix);
}

static const char *plugins_agree(struct session *session)
{
	switch (plugins_run(session, PLUGINS_RCPT, &session->address)) {
	case PLUGINS_REFUSE: return session->refusal.data;
	case PLUGINS_ACCEPT:
		session->checks_are_off = true;
		if (client_may_relay(session)) append_relay_suffix(session);
		break;
	case PLUGINS_GO_ON:
	case PLUGINS_SKIP:
	default: break;
	}
	return NULL;
}

/* Only now: the sender of a mail that is not wanted learns it for each
   recipient, as in qmail, and cannot probe the list with MAIL alone. */
static const char *spf_has_not_failed(struct session *session)
{
	const struct str *refusal = &session->transaction.spf_refusal;

	return refusal->length ? refusal->data : NULL;
}

/* An address without a domain is ours: postmaster must be (RFC 5321 section
   4.5.1), and the queue program adds our name to the others. */
static const char *domain_is_ours_or_client_may_relay(struct session *session)
{
	const struct settings *settings = &session->settings;
	const char *domain = address_domain(session->address.data);

	switch (settings->relaying) {
	case RELAY_THIS_CLIENT: append_relay_suffix(session); return NULL;
	case RELAY_EVERYTHING: return NULL;
	case RELAY_NOTHING:
		if (!domain) return NULL;
		break;
	case RELAY_LISTED:
	default:
		if (!domain || recipient_host_is_listed(session, domain))
			return NULL;
		break;
	}
	return tls_clients_check(session);
}

/* Only those that we take mail for are counted. */
static const char *there_is_one_more_allowed(struct session *session)
{
	unsigned long limit = session->settings.policy.accepted_limit;

	return limit && ++session->transaction.recipients_allowed > limit
		       ? REPLY_ACCEPTED_LIMIT
		       : NULL;
}

/* The order of the questions is the policy: the first refusal is the reply. */
static const char *(*const checks[])(struct session *) = {
	transaction_is_open,
	there_are_not_too_many,
	there_is_room,
	is_well_formed,
	is_no_relay_probe,
	plugins_agree,
	patterns_check_recipient,
	spf_has_not_failed,
	domain_is_ours_or_client_may_relay,
	there_is_one_more_allowed,
	sender_sanity_check_recipient,
	recipient_table_check,
	recipient_local_check,
	recipient_program_check,
};

/* Who sends to very many waits for each. */
static void hold_up(struct session *session)
{
	const struct policy *policy = &session->settings.policy;

	if (policy->tarpit_count &&
	    session->transaction.recipient_count >= policy->tarpit_count)
		session_pause(session, policy->tarpit_delay);
}

const char *check_recipient(struct session *session, const char *argument)
{
	session->argument = argument;
	session->checks_are_off = false;
	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
		const char *refusal = checks[i](session);

		if (refusal) return refusal;
		if (session->checks_are_off) break;
	}
	envelope_add(&session->transaction.envelope, session->address.data);
	session->transaction.recipient_count++;
	hold_up(session);
	return NULL;
}
