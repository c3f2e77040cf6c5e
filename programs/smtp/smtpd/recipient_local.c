/* SPDX-License-Identifier: ISC */
#include "recipient_local.h"

#include <string.h>
#include <strings.h>

#include "control_file.h"
#include "mail/address.h"
#include "mail/control.h"
#include "recipient_hosts.h"
#include "recipient_table.h"
#include "replies.h"

/* The sender of a bounce of a bounce, which has no account either. */
static const char double_bounce[] = "#@[]";

static const char unknown[] = REPLY_NO_ACCOUNT;

static struct control_file locals = { .name = "locals" };
static struct control_file good_addresses = { .name = "goodmailaddr" };

/* Without the file, as in qmail, the name in control/me is the local one. */
static bool domain_is_local(struct session *session, const char *domain)
{
	if (control_file_list(session, &locals))
		return control_file_has(session, &locals, domain);
	return session->settings.me.length &&
	       strcasecmp(session->settings.me.data, domain) == 0;
}

/* An address, or "@domain". */
static bool is_good_anyway(struct session *session, const char *address)
{
	const char *domain = address_domain(address);

	if (recipient_is_bare_postmaster(address)) return true;
	return control_file_has(session, &good_addresses, address) ||
	       (domain &&
		control_file_has(session, &good_addresses, domain - 1));
}

static enum table_answer find_account(struct session *session,
				      const char *address)
{
	const char *table = session->settings.policy.recipient_table;
	enum table_answer answer;
	struct str path = { 0 };

	if (table) return recipient_table_find(session, table, address);
	control_path(&path, "validrcptto.cdb");
	answer = recipient_table_find(session, path.data, address);
	str_free(&path);
	return answer;
}

static const char *check_account(struct session *session, const char *address)
{
	switch (find_account(session, address)) {
	case TABLE_FOUND: return NULL;
	case TABLE_FAILED:
		return session->settings.policy.soft_failure_is_ok
			       ? NULL
			       : REPLY_NO_ACCOUNTS;
	case TABLE_ABSENT:
	default: return unknown;
	}
}

/* What begins with a slash is a program. */
static bool is_flag(const char *value)
{
	return value && *value != '/';
}

/* qmail adds the name in control/me where there is no domain. */
static void append_whole(const struct session *session, struct str *whole)
{
	const struct str *me = &session->settings.me;

	str_append(whole, session->address.data, session->address.length);
	if (address_domain(whole->data) || me->length == 0) return;
	str_append_byte(whole, '@');
	str_append(whole, me->data, me->length);
}

const char *recipient_local_check(struct session *session)
{
	const struct policy *policy = &session->settings.policy;
	const char *refusal = NULL, *domain;
	struct str whole = { 0 };

	if (!is_flag(policy->recipient_check) ||
	    is_good_anyway(session, session->address.data))
		return NULL;
	append_whole(session, &whole);
	domain = address_domain(whole.data);
	if (domain && domain_is_local(session, domain))
		refusal = check_account(session, whole.data);
	str_free(&whole);
	if (refusal == unknown)
		session_pause(session, policy->bad_recipient_delay);
	return refusal;
}

/* Of senders elsewhere: LOOSE takes those of rcpthosts, STRICT none. */
static const char *check_foreign_sender(struct session *session,
					const char *domain)
{
	const char *value = session->settings.policy.local_sender_check;

	if (strcasecmp(value, "STRICT") == 0) return REPLY_SENDER_NOT_LOCAL;
	if (strcasecmp(value, "LOOSE") != 0 || !domain ||
	    session->settings.relaying == RELAY_EVERYTHING ||
	    recipient_host_is_listed(session, domain))
		return NULL;
	return REPLY_SENDER_NOT_LOCAL;
}

const char *recipient_local_check_sender(struct session *session)
{
	const char *address = session->address.data;
	const char *domain = address_domain(address);

	if (!session->settings.policy.local_sender_check || !*address ||
	    strcmp(address, double_bounce) == 0 ||
	    is_good_anyway(session, address))
		return NULL;
	if (domain && domain_is_local(session, domain))
		return check_account(session, address);
	return check_foreign_sender(session, domain);
}
