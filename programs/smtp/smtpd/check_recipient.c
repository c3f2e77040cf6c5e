/* SPDX-License-Identifier: ISC */
#include "checks.h"

#include <string.h>
#include <strings.h>

#include "log.h"
#include "mail/address.h"
#include "mail/envelope.h"
#include "patterns.h"
#include "plugins.h"
#include "recipient_local.h"
#include "recipient_program.h"
#include "recipient_table.h"
#include "replies.h"
#include "sender_sanity.h"
#include "system/table.h"

static const char *transaction_is_open(struct session *session,
				       const char *argument)
{
	(void)argument;
	if (!session->transaction.open) return REPLY_MAIL_FIRST;
	return session->transaction.chunks.state == CHUNKS_NONE
		       ? NULL
		       : REPLY_CHUNKS_BEGUN;
}

static const char *there_is_room(struct session *session, const char *argument)
{
	(void)argument;
	return session->transaction.envelope.length < RECIPIENTS_LIMIT
		       ? NULL
		       : REPLY_TOO_MANY_RECIPIENTS;
}

static const char *is_well_formed(struct session *session, const char *argument)
{
	struct str *recipient = &session->address;
	const char *parameters;

	if (address_parse(argument, recipient, &parameters) < 0 ||
	    recipient->length == 0)
		return REPLY_ADDRESS_SYNTAX;
	name_own_literal(session, recipient);
	return check_utf8(session, recipient);
}

/* Commands are counted, accepted or not, so that one cannot try names for ever. */
static const char *there_are_not_too_many(struct session *session,
					  const char *argument)
{
	(void)session;
	(void)argument;
	return NULL;
}

static const char *is_no_relay_probe(struct session *session,
				     const char *argument)
{
	(void)session;
	(void)argument;
	return NULL;
}

static const char *plugins_agree(struct session *session, const char *argument)
{
	(void)argument;
	switch (plugins_run(session, PLUGINS_RCPT, &session->address)) {
	case PLUGINS_REFUSE: return session->refusal.data;
	case PLUGINS_ACCEPT: session->checks_are_off = true; break;
	case PLUGINS_GO_ON:
	default: break;
	}
	return NULL;
}

/* Only now: the sender of a mail that is not wanted learns it for each
   recipient, as in qmail, and cannot probe the list with MAIL alone. */
static const char *is_on_no_list(struct session *session, const char *argument)
{
	(void)argument;
	return patterns_check_recipient(session);
}

static const char *spf_has_not_failed(struct session *session,
				      const char *argument)
{
	const struct str *refusal = &session->transaction.spf_refusal;

	(void)argument;
	return refusal->length ? refusal->data : NULL;
}

/* A line is the domain itself, or ".suffix" for all domains below it. */
static bool is_listed(const struct str *hosts, const char *domain)
{
	size_t length = strlen(domain), line_length;

	for (size_t at = 0; at < hosts->length; at += line_length + 1) {
		const char *line = hosts->data + at, *tail;

		line_length = strlen(line);

		if (line_length <= length) {
			tail = domain + (length - line_length);
			if ((tail == domain || *line == '.') &&
			    strcasecmp(line, tail) == 0)
				return true;
		}
	}
	return false;
}

static char lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

/* The same of morercpthosts.cdb, whose keys are in lower case. */
static bool is_in_table(struct session *session, const char *domain)
{
	struct table *table = &session->settings.more_recipient_hosts;
	char key[ADDRESS_LIMIT + HELO_LIMIT];
	size_t length = strlen(domain), value_length;
	const char *value;

	if (!table->open || length > sizeof key) return false;
	for (size_t i = 0; i < length; i++) key[i] = lower(domain[i]);
	for (size_t at = 0; at < length; at++) {
		if (at > 0 && key[at] != '.') continue;
		switch (table_find(table, key + at, length - at, &value,
				   &value_length)) {
		case TABLE_FOUND: return true;
		case TABLE_FAILED:
			log_unreadable_control("morercpthosts.cdb");
			session_give_up(session, REPLY_NO_CONTROLS);
		case TABLE_ABSENT:
		default: break;
		}
	}
	return false;
}

/* An address without a domain is ours: postmaster must be (RFC 5321 section
   4.5.1), and the queue program adds our name to the others. */
static const char *domain_is_ours_or_client_may_relay(struct session *session,
						      const char *argument)
{
	const struct settings *settings = &session->settings;
	const char *domain = address_domain(session->address.data);

	(void)argument;
	switch (settings->relaying) {
	case RELAY_THIS_CLIENT:
		str_append_text(&session->address, settings->relay_suffix);
		return NULL;
	case RELAY_EVERYTHING: return NULL;
	case RELAY_NOTHING: return domain ? REPLY_NOT_OUR_DOMAIN : NULL;
	case RELAY_LISTED:
	default: break;
	}
	if (!domain || is_listed(&settings->recipient_hosts, domain) ||
	    is_in_table(session, domain))
		return NULL;
	return REPLY_NOT_OUR_DOMAIN;
}

static const char *may_be_another_one(struct session *session,
				      const char *argument)
{
	(void)argument;
	return sender_sanity_check_recipient(session);
}

static const char *is_in_our_table(struct session *session,
				   const char *argument)
{
	(void)argument;
	return recipient_table_check(session);
}

static const char *has_an_account(struct session *session, const char *argument)
{
	(void)argument;
	return recipient_local_check(session);
}

static const char *program_agrees(struct session *session, const char *argument)
{
	(void)argument;
	return recipient_program_check(session);
}

/* The order of the questions is the policy: the first refusal is the reply. */
static const char *(*const checks[])(struct session *, const char *argument) = {
	transaction_is_open,
	there_are_not_too_many,
	there_is_room,
	is_well_formed,
	is_no_relay_probe,
	plugins_agree,
	is_on_no_list,
	spf_has_not_failed,
	domain_is_ours_or_client_may_relay,
	may_be_another_one,
	is_in_our_table,
	has_an_account,
	program_agrees,
};

const char *check_recipient(struct session *session, const char *argument)
{
	session->checks_are_off = false;
	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
		const char *refusal = checks[i](session, argument);

		if (refusal) return refusal;
		if (session->checks_are_off) break;
	}
	envelope_add(&session->transaction.envelope, session->address.data);
	session->transaction.recipient_count++;
	return NULL;
}
