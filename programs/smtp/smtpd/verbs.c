/* SPDX-License-Identifier: ISC */
#include "verbs.h"

#include <string.h>
#include <strings.h>

#include "auth.h"
#include "checks.h"
#include "chunk.h"
#include "data.h"
#include "log.h"
#include "plugins.h"
#include "refusing.h"
#include "replies.h"
#include "tls.h"
#include "xclient.h"

/* RFC 2034 section 4: neither these nor the replies to HELO and EHLO have
   enhanced status codes. */
static void say_greeting(struct session *session)
{
	session->without_codes = true;
	reply_part(session, REPLY_READY);
	reply_part(session, session->settings.greeting.data);
	reply(session, REPLY_READY_END);
	session->without_codes = false;
}

void greet(struct session *session)
{
	const char *refusal = refusing_greeting(session);

	if (!refusal &&
	    plugins_run(session, PLUGINS_CONNECTION, NULL) == PLUGINS_REFUSE)
		refusal = session->refusal.data;
	if (refusal) refusing_serve(session, refusal);
	say_greeting(session);
}

static void remember_helo(struct session *session, const char *name)
{
	session->is_extended = false;
	str_clear(&session->helo);
	str_append(&session->helo, name, strnlen(name, HELO_LIMIT));
	session_reset(session);
}

/* NULL, or the reply that refuses the name: then it has not been said. */
static const char *check_helo(struct session *session, const char *name)
{
	str_clear(&session->address);
	str_append(&session->address, name, strnlen(name, HELO_LIMIT));
	return plugins_run(session, PLUGINS_HELO, &session->address) ==
			       PLUGINS_REFUSE
		       ? session->refusal.data
		       : NULL;
}

static void helo(struct session *session, const char *argument)
{
	const char *refusal = check_helo(session, argument);

	if (refusal) {
		refuse(session, refusal);
		return;
	}
	remember_helo(session, argument);
	session->without_codes = true;
	reply_part(session, REPLY_HELO);
	reply(session, session->settings.greeting.data);
	session->without_codes = false;
	count_junk(session);
}

/* RFC 9422, whose numbers have six digits at most. */
static void announce_limits(struct session *session)
{
	unsigned long recipients = recipients_limit(session);

	if (recipients == 0 || recipients > 999999) return;
	reply_part(session, REPLY_EHLO_LIMITS);
	reply_number(session, recipients);
	reply(session, "");
}

static void announce(struct session *session)
{
	reply_part(session, REPLY_EHLO);
	reply(session, session->settings.greeting.data);
	auth_announce(session);
	if (session->tls.state == TLS_OFFERED)
		reply(session, REPLY_EHLO_STARTTLS);
	reply_part(session, REPLY_EHLO_SIZE);
	reply_number(session, session->settings.policy.databytes);
	reply(session, "");
	xclient_announce(session);
	announce_limits(session);
	if (session->settings.enhanced_codes)
		reply(session, REPLY_EHLO_ENHANCED);
	reply(session, REPLY_EHLO_PIPELINING);
	if (session->settings.chunking) reply(session, REPLY_EHLO_CHUNKING);
	if (session->settings.utf8) reply(session, REPLY_EHLO_UTF8);
	reply(session, REPLY_EHLO_8BITMIME);
}

static void ehlo(struct session *session, const char *argument)
{
	const char *refusal = check_helo(session, argument);

	if (refusal) {
		refuse(session, refusal);
		return;
	}
	remember_helo(session, argument);
	session->is_extended = true;
	session->without_codes = true;
	announce(session);
	session->without_codes = false;
	count_junk(session);
}

static void mail(struct session *session, const char *argument)
{
	const char *refusal = check_sender(session, argument);

	if (refusal) {
		refuse(session, refusal);
		return;
	}
	log_sender(session);
	reply_with_code(session, REPLY_OK, REPLY_CODE_SENDER);
}

static void rcpt(struct session *session, const char *argument)
{
	const char *refusal = check_recipient(session, argument);

	if (refusal) {
		refuse(session, refusal);
		return;
	}
	session->junk = 0;
	log_recipient(session);
	reply_with_code(session, REPLY_OK, REPLY_CODE_RECIPIENT);
}

static void data(struct session *session, const char *argument)
{
	(void)argument; /* passed over, as in qmail */
	if (!session->transaction.open) refuse(session, REPLY_MAIL_FIRST);
	else if (session->transaction.chunks.state != CHUNKS_NONE)
		refuse(session, REPLY_CHUNKS_BEGUN);
	else if (session->transaction.recipient_count == 0)
		refuse(session, REPLY_RECIPIENT_FIRST);
	else receive_message(session);
}

static void rset(struct session *session, const char *argument)
{
	(void)argument;
	session_reset(session);
	reply(session, REPLY_FLUSHED);
	count_junk(session);
}

static void noop(struct session *session, const char *argument)
{
	(void)argument;
	reply(session, REPLY_OK);
	count_junk(session);
}

static void help(struct session *session, const char *argument)
{
	(void)argument;
	if (session->settings.policy.help_version) {
		reply(session, REPLY_HELP_FIRST);
		reply(session, REPLY_HELP_VERSION);
	} else {
		reply(session, REPLY_HELP);
	}
	count_junk(session);
}

/* Whom we know is nobody's business. */
static void vrfy(struct session *session, const char *argument)
{
	(void)argument;
	reply(session, REPLY_WILL_TRY);
	count_junk(session);
}

static void starttls(struct session *session, const char *argument)
{
	const char *refusal = tls_start(session, argument);

	if (refusal) refuse(session, refusal);
}

static void quit(struct session *session, const char *argument)
{
	(void)argument;
	session_quit(session);
}

static const struct {
	const char *name;
	void (*run)(struct session *, const char *argument);
} verbs[] = {
	{ "MAIL", mail },      { "RCPT", rcpt },           { "DATA", data },
	{ "EHLO", ehlo },      { "HELO", helo },           { "RSET", rset },
	{ "QUIT", quit },      { "NOOP", noop },           { "VRFY", vrfy },
	{ "HELP", help },      { "STARTTLS", starttls },   { "AUTH", auth_run },
	{ "BDAT", chunk_run }, { "XCLIENT", xclient_run },
};

void run_command(struct session *session, char *line)
{
	const char *argument = smtp_line_cut_verb(line);

	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		if (strcasecmp(line, verbs[i].name) != 0) continue;
		/* A password is nothing for the log. */
		log_command(verbs[i].name,
			    verbs[i].run == auth_run ? "" : argument);
		verbs[i].run(session, argument);
		return;
	}
	log_command("unknown", "");
	refuse(session, REPLY_UNIMPLEMENTED);
}
