/* SPDX-License-Identifier: ISC */
#include "checks.h"

#include <string.h>

#include "auth.h"
#include "base/parse.h"
#include "log.h"
#include "mail/address.h"
#include "mail/envelope.h"
#include "patterns.h"
#include "plugins.h"
#include "rbl.h"
#include "recipient_local.h"
#include "replies.h"
#include "sender_dns.h"
#include "sender_sanity.h"
#include "system/net.h"
#include "tls.h"

/* RFC 1870 section 4: one to twenty digits. */
enum { SIZE_DIGITS = 20 };

void name_own_literal(struct session *session, struct str *address)
{
	const char *domain = address_domain(address->data);
	struct net_ip ip;
	int own;

	if (!domain || address_literal(domain, &ip) < 0) return;
	own = net_ip_is_local(&ip);
	if (own < 0) {
		log_no_own_addresses();
		session_give_up(session, REPLY_NO_OWN_ADDRESSES);
	}
	if (!own) return;
	address->length = (size_t)(domain - address->data);
	str_append(address, session->settings.literal_host.data,
		   session->settings.literal_host.length);
}

static const char *check_size(const struct session *session,
			      const struct smtp_parameter *size)
{
	char digits[SIZE_DIGITS + 1];
	unsigned long bytes = 0, limit = session->settings.policy.databytes;

	if (!size->value || size->value_length == 0 ||
	    size->value_length > SIZE_DIGITS)
		return REPLY_SIZE_SYNTAX;
	memcpy(digits, size->value, size->value_length);
	digits[size->value_length] = '\0';
	if (strspn(digits, "0123456789") != size->value_length)
		return REPLY_SIZE_SYNTAX;
	parse_leading_number(digits, &bytes);
	if (limit == 0 || bytes <= limit) return NULL;
	log_event(session, "DATABYTES exceeded", NULL);
	return REPLY_TOO_BIG;
}

/* RFC 6152. What is in the text is the same to us either way. */
static const char *check_body(const struct smtp_parameter *body)
{
	if (body->value &&
	    (parse_same_word(body->value, body->value_length, "7BIT") ||
	     parse_same_word(body->value, body->value_length, "8BITMIME")))
		return NULL;
	return REPLY_BODY_SYNTAX;
}

/* RFC 6531 section 3.4: the parameter has no value. */
static const char *take_utf8(struct session *session,
			     const struct smtp_parameter *utf8)
{
	if (utf8->value) return REPLY_UTF8_SYNTAX;
	session->transaction.utf8 = true;
	return NULL;
}

const char *check_utf8(const struct session *session, const struct str *address)
{
	if (session->settings.utf8 < UTF8_REQUIRED || session->transaction.utf8)
		return NULL;
	for (size_t i = 0; i < address->length; i++)
		if ((unsigned char)address->data[i] > 127)
			return REPLY_UTF8_NEEDED;
	return NULL;
}

/* Parameters that are not known are passed over, as in qmail. */
static const char *check_parameters(struct session *session,
				    const char *parameters)
{
	struct smtp_parameter parameter;

	while (smtp_parameter_next(&parameters, &parameter)) {
		const char *refusal = NULL;

		if (parse_same_word(parameter.name, parameter.name_length,
				    "SIZE"))
			refusal = check_size(session, &parameter);
		else if (parse_same_word(parameter.name, parameter.name_length,
					 "BODY"))
			refusal = check_body(&parameter);
		else if (session->settings.utf8 &&
			 parse_same_word(parameter.name, parameter.name_length,
					 "SMTPUTF8"))
			refusal = take_utf8(session, &parameter);
		if (refusal) return refusal;
	}
	return NULL;
}

static const char *there_is_none_yet(struct session *session)
{
	return session->transaction.open ? REPLY_ONE_MAIL_ONLY : NULL;
}

static const char *tls_is_there(struct session *session)
{
	return session->tls.required && !tls_protects(&session->tls)
		       ? REPLY_TLS_FIRST
		       : NULL;
}

/* The transaction begins here, so that what is asked from now on can be kept in
   it; it opens when all have said yes. */
static const char *is_well_formed(struct session *session)
{
	struct str *sender = &session->address;
	const char *parameters, *refusal;

	if (address_parse(session->argument, sender, &parameters) < 0)
		return REPLY_ADDRESS_SYNTAX;
	session_reset(session);
	refusal = check_parameters(session, parameters);
	if (!refusal) refusal = check_utf8(session, sender);
	if (refusal) return refusal;
	name_own_literal(session, sender);
	return NULL;
}

static const char *plugins_agree(struct session *session)
{
	switch (plugins_run(session, PLUGINS_MAIL, &session->address)) {
	case PLUGINS_REFUSE: return session->refusal.data;
	case PLUGINS_ACCEPT: session->checks_are_off = true; break;
	case PLUGINS_GO_ON:
	case PLUGINS_SKIP:
	default: break;
	}
	return NULL;
}

/* Told at RCPT. */
static const char *is_looked_up_in_lists(struct session *session)
{
	patterns_note_sender(session);
	return NULL;
}

/* The order of the questions is the policy: the first refusal is the reply. */
static const char *(*const checks[])(struct session *) = {
	there_is_none_yet,
	tls_is_there,
	auth_is_there,
	is_well_formed,
	plugins_agree,
	sender_sanity_check,
	recipient_local_check_sender,
	is_looked_up_in_lists,
	rbl_check,
	sender_dns_check,
};

const char *check_sender(struct session *session, const char *argument)
{
	struct transaction *transaction = &session->transaction;

	session->argument = argument;
	session->checks_are_off = false;
	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
		const char *refusal = checks[i](session);

		if (refusal) return refusal;
		if (session->checks_are_off) break;
	}
	transaction->open = true;
	str_append(&transaction->sender, session->address.data,
		   session->address.length);
	envelope_start(&transaction->envelope, session->address.data);
	if (session->settings.policy.log_mail)
		log_address("MAIL FROM", session->address.data);
	return NULL;
}
