/* SPDX-License-Identifier: ISC */
#include "recipient_table.h"

#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "log.h"
#include "replies.h"

/* qmail's conf-break. */
static const char break_byte = '-';
static const char rest[] = "default";

/* What VALIDRCPTTO_LOG asks for. */
enum { LOG_NOTHING, LOG_ANSWERS, LOG_QUESTIONS };

/* One for the process, as there is one session; only a login can bring another
   path. */
static struct {
	struct str asked; /* the path as it was given */
	struct str path;
	struct table table;
} opened;

/* A relative path is one under the home, as in qmail. */
static int open_table(const char *path)
{
	if (opened.table.open && strcmp(opened.asked.data, path) == 0) return 0;
	table_close(&opened.table);
	str_clear(&opened.asked);
	str_append_text(&opened.asked, path);
	str_clear(&opened.path);
	if (*path != '/') str_append_text(&opened.path, CHAINMAIL_HOME "/");
	str_append_text(&opened.path, path);
	return table_open(&opened.table, opened.path.data);
}

void recipient_table_open(struct session *session)
{
	const char *path = session->settings.policy.recipient_table;

	if (!path || open_table(path) == 0) return;
	log_unreadable(opened.path.data);
	session_give_up(session, REPLY_NO_CONTROLS);
}

/* ---- the search ---- */

struct search {
	const struct session *session;
	unsigned long log_level;
	struct str key;
	struct str domain; /* with its '@' */
};

static void say(const struct search *search, unsigned long level,
		const char *what)
{
	struct str line = { 0 };

	if (search->log_level < level) return;
	str_append_text(&line, what);
	str_append(&line, search->key.data, search->key.length);
	log_event(search->session, "validrcptto", line.data);
	str_free(&line);
}

/* An address that is rejected is as good as found: the search ends. */
enum finding { FOUND, REJECTED, NOT_FOUND, FAILED };

static enum finding try_key(const struct search *search)
{
	const char *value;
	size_t length;

	say(search, LOG_QUESTIONS, "trying: ");
	switch (table_find(&opened.table, search->key.data, search->key.length,
			   &value, &length)) {
	case TABLE_FAILED: return FAILED;
	case TABLE_ABSENT: return NOT_FOUND;
	case TABLE_FOUND:
	default: break;
	}
	if (length > 0 && *value == '-') {
		say(search, LOG_ANSWERS, "reject: ");
		return REJECTED;
	}
	say(search, LOG_ANSWERS, "found: ");
	return FOUND;
}

static enum finding try_lower(struct search *search, const char *address)
{
	str_append_text(&search->key, address);
	for (size_t i = 0; i < search->key.length; i++)
		search->key.data[i] = parse_lower(address[i]);
	if (!search->session->settings.policy.log_recipients)
		say(search, LOG_ANSWERS, "RCPT TO: ");
	return try_key(search);
}

/* The longest beginning first. */
static enum finding try_beginnings(struct search *search, size_t at)
{
	struct str *key = &search->key;
	enum finding finding = NOT_FOUND;

	while (finding == NOT_FOUND && at-- > 0) {
		if (key->data[at] != break_byte) continue;
		key->length = at + 1;
		str_append_text(key, rest);
		str_append_text(key, search->domain.data);
		finding = try_key(search);
	}
	return finding;
}

static enum finding find(struct search *search, const char *address)
{
	enum finding finding = try_lower(search, address);
	const char *domain = strrchr(search->key.data, '@');

	if (finding != NOT_FOUND || !domain) return finding;
	str_append_text(&search->domain, domain);
	finding = try_beginnings(search, (size_t)(domain - search->key.data));
	if (finding != NOT_FOUND) return finding;
	str_clear(&search->key);
	str_append_text(&search->key, search->domain.data);
	return try_key(search);
}

static enum table_answer look_up(const struct session *session,
				 const char *path, const char *address,
				 unsigned long log_level)
{
	struct search search = { .session = session, .log_level = log_level };
	enum finding finding = FAILED;

	if (open_table(path) == 0) finding = find(&search, address);
	if (finding == FAILED) log_unreadable(opened.path.data);
	str_free(&search.key);
	str_free(&search.domain);
	if (finding == FAILED) return TABLE_FAILED;
	return finding == FOUND ? TABLE_FOUND : TABLE_ABSENT;
}

enum table_answer recipient_table_find(struct session *session,
				       const char *path, const char *address)
{
	return look_up(session, path, address, LOG_NOTHING);
}

bool recipient_is_bare_postmaster(const char *address)
{
	return strcasecmp(address, "postmaster") == 0;
}

/* ---- VALIDRCPTTO_CDB ---- */

static const char *refuse_stranger(struct session *session)
{
	unsigned long limit = session->settings.policy.strangers_limit;
	struct str line = { 0 };

	str_append_text(&line, "not found: ");
	str_append_text(&line, session->address.data);
	log_event(session, "validrcptto", line.data);
	str_free(&line);
	if (limit == 0 || ++session->strangers < limit)
		return REPLY_NOT_IN_TABLE;
	log_event(session, "validrcptto", "excessive violations, hanging up");
	session_give_up(session, REPLY_TOO_MANY_STRANGERS);
}

const char *recipient_table_check(struct session *session)
{
	const struct policy *policy = &session->settings.policy;

	if (!policy->recipient_table || client_may_relay(session) ||
	    recipient_is_bare_postmaster(session->address.data))
		return NULL;
	switch (look_up(session, policy->recipient_table, session->address.data,
			policy->recipient_table_log)) {
	case TABLE_FOUND: return NULL;
	case TABLE_FAILED: session_give_up(session, REPLY_NO_CONTROLS);
	case TABLE_ABSENT:
	default: return refuse_stranger(session);
	}
}
