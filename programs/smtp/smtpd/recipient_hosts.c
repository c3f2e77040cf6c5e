/* SPDX-License-Identifier: ISC */
#include "recipient_hosts.h"

#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "log.h"
#include "mail/address.h"
#include "mail/idn.h"
#include "replies.h"
#include "system/table.h"

/* A line is the domain itself, or ".suffix" for all domains below it. */
static bool is_in_list(const struct str *hosts, const char *domain)
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

static bool is_beyond_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80) return true;
	return false;
}

/* The same of morercpthosts.cdb, whose keys are in lower case. */
static bool is_in_table(struct session *session, const char *domain)
{
	struct table *table = &session->settings.more_recipient_hosts;
	char key[ADDRESS_LIMIT + HELO_LIMIT];
	size_t length = strlen(domain), value_length;
	const char *value;

	if (!table->open || length > sizeof key) return false;
	for (size_t i = 0; i < length; i++) key[i] = parse_lower(domain[i]);
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

static bool is_listed(struct session *session, const char *domain)
{
	return is_in_list(&session->settings.recipient_hosts, domain) ||
	       is_in_table(session, domain);
}

/* With SMTPUTF8 a domain may come as people read it; the list may have the form
   that DNS has. */
bool recipient_host_is_listed(struct session *session, const char *domain)
{
	char ascii[DNS_NAME];

	if (is_listed(session, domain)) return true;
	return is_beyond_ascii(domain) && idn_to_ascii(domain, ascii) == 0 &&
	       is_listed(session, ascii);
}
