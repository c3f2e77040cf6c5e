/* SPDX-License-Identifier: ISC */
#include "checks.h"

#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "log.h"
#include "mail/address.h"
#include "mail/envelope.h"
#include "replies.h"
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

/* badmailfrom holds addresses and "@domain". An empty sender, that of a bounce,
   is on no list. */
static bool is_bad_sender(const struct str *bad, const char *sender)
{
	const char *domain = address_domain(sender);
	const char *line;

	for (size_t at = 0; at < bad->length; at += strlen(line) + 1) {
		line = bad->data + at;
		if (strcasecmp(line, sender) == 0) return true;
		if (domain && strcasecmp(line, domain - 1) == 0) return true;
	}
	return false;
}

static const char *check_size(const struct session *session,
			      const struct smtp_parameter *size)
{
	char digits[SIZE_DIGITS + 1];
	unsigned long bytes = 0, limit = session->settings.databytes;

	if (!size->value || size->value_length == 0 ||
	    size->value_length > SIZE_DIGITS)
		return REPLY_SIZE_SYNTAX;
	memcpy(digits, size->value, size->value_length);
	digits[size->value_length] = '\0';
	if (strspn(digits, "0123456789") != size->value_length)
		return REPLY_SIZE_SYNTAX;
	parse_leading_number(digits, &bytes);
	return limit && bytes > limit ? REPLY_TOO_BIG : NULL;
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

/* Parameters that are not known are passed over, as in qmail. */
static const char *check_parameters(const struct session *session,
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
		if (refusal) return refusal;
	}
	return NULL;
}

const char *check_sender(struct session *session, const char *argument)
{
	struct str *sender = &session->address;
	const char *parameters, *refusal;

	if (session->has_sender) return REPLY_ONE_MAIL_ONLY;
	if (session->tls.required && !tls_protects(&session->tls))
		return REPLY_TLS_FIRST;
	if (address_parse(argument, sender, &parameters) < 0)
		return REPLY_ADDRESS_SYNTAX;
	refusal = check_parameters(session, parameters);
	if (refusal) return refusal;
	name_own_literal(session, sender);
	session_reset(session);
	session->has_sender = true;
	session->sender_is_bad =
		is_bad_sender(&session->settings.bad_senders, sender->data);
	envelope_start(&session->envelope, sender->data);
	return NULL;
}
