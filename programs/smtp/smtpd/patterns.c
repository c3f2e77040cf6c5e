/* SPDX-License-Identifier: ISC */
#include "patterns.h"

#include <strings.h>

#include "control_file.h"
#include "log.h"
#include "mail/address.h"
#include "mail/pattern_list.h"
#include "replies.h"

struct patterns {
	struct control_file file;
	struct pattern_list list;
};

static struct patterns bad_senders = { .file.name = "badmailfrom" };
static struct patterns bad_strangers = { .file.name = "badmailfromnorelay" };
static struct patterns bad_recipients = { .file.name = "badrcptto" };
static struct patterns bad_for_strangers = { .file.name = "badrcpttonorelay" };
static struct patterns bad_helos = { .file.name = "badhelo" };

/* A file that cannot be read ends the session, whatever would be looked for in
   it. */
static const char *find(struct session *session, struct patterns *patterns,
			const char *text)
{
	const struct str *lines = control_file_list(session, &patterns->file);
	struct pattern_list *list = &patterns->list;
	const char *line, *bad;

	if (!text || !lines || lines->length == 0) return NULL;
	list->lines = *lines;
	line = pattern_list_match(list, text);
	while ((bad = pattern_list_bad_line(list)) != NULL)
		log_bad_pattern(patterns->file.name, bad);
	return line;
}

/* In the one list, or else in the one that is not for our own clients. */
static const char *find_in_both(struct session *session,
				struct patterns *for_all,
				struct patterns *for_strangers,
				const char *text)
{
	const char *line = find(session, for_all, text);

	if (line || client_may_relay(session)) return line;
	return find(session, for_strangers, text);
}

/* An empty sender, that of a bounce, is on no list. */
void patterns_note_sender(struct session *session)
{
	const char *sender = session->address.data;

	session->transaction.bad_sender = find_in_both(
		session, &bad_senders, &bad_strangers, *sender ? sender : NULL);
}

/* Once for each sender, since HELO ends a transaction. */
static const char *find_helo(struct session *session)
{
	struct transaction *transaction = &session->transaction;
	const char *helo = session->helo.data;

	if (session->settings.policy.no_bad_helo) return NULL;
	if (!transaction->helo_is_checked)
		transaction->bad_helo =
			find(session, &bad_helos, helo && *helo ? helo : NULL);
	transaction->helo_is_checked = true;
	return transaction->bad_helo;
}

static const char *log_and_refuse(const struct session *session,
				  const char *list, const char *text,
				  const char *line, const char *refusal)
{
	log_listed(session, list, text,
		   session->settings.policy.log_patterns ? line : NULL);
	return refusal;
}

/* The line is the whole address, or "@domain": all that qmail itself has. */
static bool is_plain(const char *line, const char *address)
{
	const char *domain = address_domain(address);

	return strcasecmp(line, address) == 0 ||
	       (domain && strcasecmp(line, domain - 1) == 0);
}

const char *patterns_check_recipient(struct session *session)
{
	const char *sender = session->transaction.sender.data;
	const char *recipient = session->address.data;
	const char *line = find_helo(session);

	if (line)
		return log_and_refuse(session, "badhelo", session->helo.data,
				      line, REPLY_HELO_DENIED);
	line = session->transaction.bad_sender;
	if (line)
		return log_and_refuse(session, "badmailfrom", sender, line,
				      is_plain(line, sender)
					      ? REPLY_BAD_SENDER
					      : REPLY_SENDER_DENIED);
	line = find_in_both(session, &bad_recipients, &bad_for_strangers,
			    recipient);
	if (line)
		return log_and_refuse(session, "badrcptto", recipient, line,
				      REPLY_RECIPIENT_DENIED);
	return NULL;
}
