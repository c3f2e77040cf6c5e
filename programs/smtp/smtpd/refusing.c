/* SPDX-License-Identifier: ISC */
#include "refusing.h"

#include <string.h>
#include <strings.h>

#include "log.h"
#include "replies.h"

enum { REFUSED_SECONDS = 20 };

/* ---- one command ---- */

/* qmail-ldap's: those that SMTP550DISCONNECT is for. Texts that are completed
   begin so. */
static const char *const parting[] = {
	REPLY_AUTH_NEEDED,
	REPLY_AUTH_NEEDS_TLS,
	REPLY_NO_MX,
	REPLY_NO_BOUNCES,
	/* NOLINTNEXTLINE(bugprone-suspicious-missing-comma): one long text. */
	REPLY_ONE_BOUNCE_RECIPIENT,
	REPLY_SENDER_WITHOUT_AT,
	REPLY_SENDER_WITHOUT_PART,
	REPLY_SENDER_WITHOUT_DOT,
	REPLY_SENDER_NOT_LOCAL,
	REPLY_RELAY_PROBE,
	REPLY_RBL,
	REPLY_NO_ACCOUNT,
	REPLY_EXECUTABLE,
};

static bool is_parting(const char *text)
{
	for (size_t i = 0; i < sizeof parting / sizeof *parting; i++)
		if (strncmp(text, parting[i], strlen(parting[i])) == 0)
			return true;
	return false;
}

static bool is_one_too_many(const struct session *session)
{
	unsigned long limit = session->settings.errors_limit;

	return limit && session->errors >= limit;
}

void refuse(struct session *session, const char *text)
{
	session->errors++;
	log_refusal(text);
	if (is_one_too_many(session)) {
		log_event(session, "too many errors", NULL);
		session_give_up(session, REPLY_TOO_MANY_ERRORS);
	}
	if (session->settings.disconnect && is_parting(text))
		session_give_up(session, text);
	reply(session, text);
}

void count_junk(struct session *session)
{
	unsigned long limit = session->settings.junk_limit;

	session->junk++;
	if (limit == 0 || session->junk < limit) return;
	log_event(session, "too many commands without a message", NULL);
	session_give_up(session, REPLY_TOO_MANY_ERRORS);
}

/* ---- a whole session ---- */

static const char *make_greeting(struct session *session, const char *code,
				 const char *text, const char *usual)
{
	struct str *greeting = &session->refusal;
	const struct str *name = session->settings.me.length
					 ? &session->settings.me
					 : &session->settings.greeting;
	char shown[SMTP_REPLY_LIMIT];

	str_clear(greeting);
	str_append_text(greeting, code);
	str_append(greeting, name->data, name->length);
	str_append_byte(greeting, ' ');
	str_append_text(greeting, printable_text(shown, sizeof shown,
						 *text ? text : usual));
	if (greeting->length > SMTP_REPLY_LIMIT) {
		greeting->length = SMTP_REPLY_LIMIT;
		greeting->data[greeting->length] = '\0';
	}
	return greeting->data;
}

const char *refusing_greeting(struct session *session)
{
	const struct settings *settings = &session->settings;

	if (settings->greeting_554)
		return make_greeting(session, REPLY_GREETING_554,
				     settings->greeting_554,
				     REPLY_GREETING_554_USUAL);
	if (settings->greeting_421)
		return make_greeting(session, REPLY_GREETING_421,
				     settings->greeting_421,
				     REPLY_GREETING_421_USUAL);
	return NULL;
}

static const char *words_for(const char *verb, bool is_temporary)
{
	if (is_temporary &&
	    (strcasecmp(verb, "HELO") == 0 || strcasecmp(verb, "EHLO") == 0))
		return REPLY_NO_SERVICE;
	return REPLY_BAD_SEQUENCE;
}

void refusing_serve(struct session *session, const char *greeting)
{
	bool is_temporary = *greeting == '4';

	log_refusal(greeting);
	session->without_codes = true;
	reply(session, greeting);
	session->without_codes = false;
	session_flush(session);
	if (session->settings.disconnect) session_leave(session);
	if (session->in.seconds > REFUSED_SECONDS)
		session->in.seconds = session->out.seconds = REFUSED_SECONDS;
	for (;;) {
		if (session_read_line(session) != SMTP_LINE_WHOLE) continue;
		smtp_line_cut_verb(session->line.text);
		if (strcasecmp(session->line.text, "QUIT") == 0)
			session_quit(session);
		refuse(session, words_for(session->line.text, is_temporary));
	}
}
