/* SPDX-License-Identifier: ISC */
#include "patterns.h"

#include <string.h>
#include <strings.h>

#include "log.h"
#include "mail/address.h"
#include "mail/control.h"
#include "replies.h"

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

void patterns_note_sender(struct session *session)
{
	static struct str bad;
	static bool read;

	if (!read && control_read_list("badmailfrom", &bad) == CONTROL_FAILED) {
		log_unreadable_control("badmailfrom");
		session_give_up(session, REPLY_NO_CONTROLS);
	}
	read = true;
	session->transaction.sender_is_bad =
		is_bad_sender(&bad, session->address.data);
}

const char *patterns_check_recipient(struct session *session)
{
	return session->transaction.sender_is_bad ? REPLY_BAD_SENDER : NULL;
}
