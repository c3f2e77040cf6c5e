/* SPDX-License-Identifier: ISC */
#include "auth.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "auth_checker.h"
#include "auth_dialogue.h"
#include "auth_settings.h"
#include "base/str.h"
#include "log.h"
#include "mail/sasl.h"
#include "mail/scram.h"
#include "plugins.h"
#include "replies.h"
#include "session.h"

/* In the order of EHLO's line. */
static const struct mechanism {
	enum auth_mechanism bit;
	const char *name;
	const char *word; /* SMTPAUTHMETHOD's */
	auth_dialogue *talk;
} mechanisms[] = {
	{ AUTH_LOGIN, "LOGIN", "login", auth_by_login },
	{ AUTH_CRAM_MD5, "CRAM-MD5", "cram-md5", auth_by_cram_md5 },
	{ AUTH_PLAIN, "PLAIN", "plain", auth_by_plain },
	{ AUTH_SCRAM, SCRAM_NAME, "scram-sha-256", auth_by_scram },
};

enum {
	MECHANISM_COUNT = sizeof mechanisms / sizeof *mechanisms,
	/* They send the password itself. */
	USUAL_MECHANISMS = AUTH_LOGIN | AUTH_PLAIN,
};

/* SMTPAUTH's, behind a '!' that requires a login. qmail-ldap's only word is
   TLSREQUIRED; to it, any other one means what none means. */
static const struct {
	const char *word;
	unsigned mechanisms;
	bool needs_tls;
} words[] = {
	{ "TLSREQUIRED", USUAL_MECHANISMS, true },
	{ "cram", AUTH_CRAM_MD5, false },
	{ "+cram", USUAL_MECHANISMS | AUTH_CRAM_MD5, false },
	{ "scram", AUTH_SCRAM, false },
	{ "+scram", USUAL_MECHANISMS | AUTH_SCRAM, false },
	{ "+cram+scram", USUAL_MECHANISMS | AUTH_CRAM_MD5 | AUTH_SCRAM, false },
};

/* ---- what can be had ---- */

/* False: SMTPAUTH is "-". */
static bool read_word(struct auth *auth, const char *word)
{
	auth->mechanisms = USUAL_MECHANISMS;
	if (!word) return true;
	if (*word == '!') {
		auth->required = true;
		word++;
	}
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcasecmp(word, words[i].word) != 0) continue;
		auth->mechanisms = words[i].mechanisms;
		auth->needs_tls = words[i].needs_tls;
	}
	return strcmp(word, "-") != 0;
}

static void use_table(struct session *session)
{
	const char *path = session->settings.auth_table;

	session->auth.backend = AUTH_BY_TABLE;
	if (access(path, R_OK) == 0) return;
	log_unreadable_auth_table(path);
	session_give_up(session, REPLY_NO_AUTH_TABLE);
}

static bool is_path(const char *word)
{
	return strchr(word, '/') != NULL;
}

static bool accepts_everybody(const char *program)
{
	const char *name = strrchr(program, '/');

	return strcmp(name ? name + 1 : program, "true") == 0;
}

/* A word that is left out moves the others, and `true` becomes the checker: a
   relay for the whole world, for many a year. */
static void use_checker(struct session *session, int count, char **arguments)
{
	if (count < 3 || is_path(arguments[0]) ||
	    accepts_everybody(arguments[1])) {
		log_auth_misused();
		session_give_up(session, REPLY_AUTH_MISUSED);
	}
	session->auth.backend = AUTH_BY_CHECKER;
	session->auth.host = arguments[0];
	session->auth.checker = arguments + 1;
}

/* ALLOW_CRAM is refused with a table, as ever: those of old have hashes that are
   no good for it, and a client that is offered it tries nothing else. Who has a
   table made for it says so by SMTPAUTH. */
static void add_allowed(struct session *session)
{
	const struct settings *settings = &session->settings;
	struct auth *auth = &session->auth;

	if (settings->cram_md5 && auth->backend == AUTH_BY_TABLE)
		session_give_up(session, REPLY_NO_CRAM);
	if (settings->cram_md5) auth->mechanisms |= AUTH_CRAM_MD5;
	if (settings->scram) auth->mechanisms |= AUTH_SCRAM;
	if (auth->mechanisms & AUTH_SCRAM && auth->backend == AUTH_BY_CHECKER)
		session_give_up(session, REPLY_NO_SCRAM);
}

void auth_prepare(struct session *session, int argc, char **argv)
{
	const struct settings *settings = &session->settings;
	struct auth *auth = &session->auth;

	auth->host = settings->me.length ? settings->me.data
					 : settings->greeting.data;
	if (read_word(auth, settings->smtp_auth)) {
		if (settings->auth_table) use_table(session);
		else if (optind < argc)
			use_checker(session, argc - optind, argv + optind);
	}
	if (auth->backend != AUTH_BY_NOBODY) add_allowed(session);
	else if (settings->require_auth || auth->required)
		session_give_up(session, REPLY_NO_AUTH_PROGRAM);
}

static bool passwords_are_safe(const struct session *session)
{
	return tls_protects(&session->tls) ||
	       (session->settings.insecure_auth && !session->auth.needs_tls);
}

/* CRAM-MD5 shows no password, and has always been there in the clear, too. */
static bool is_offered(const struct session *session,
		       const struct mechanism *mechanism)
{
	const struct auth *auth = &session->auth;

	if (auth->backend == AUTH_BY_NOBODY) return false;
	if (!(auth->mechanisms & mechanism->bit)) return false;
	return passwords_are_safe(session) ||
	       (mechanism->bit == AUTH_CRAM_MD5 && !auth->needs_tls);
}

void auth_announce(struct session *session)
{
	struct str names = { 0 };

	for (size_t i = 0; i < MECHANISM_COUNT; i++) {
		if (!is_offered(session, &mechanisms[i])) continue;
		if (names.length) str_append_byte(&names, ' ');
		str_append_text(&names, mechanisms[i].name);
	}
	if (names.length) {
		reply_part(session, REPLY_EHLO_AUTH);
		reply(session, names.data);
		reply_part(session, REPLY_EHLO_AUTH_OLD);
		reply(session, names.data);
	}
	str_free(&names);
}

/* ---- the command ---- */

size_t auth_line_limit(const char *bytes, size_t length)
{
	return length >= 5 && strncasecmp(bytes, "AUTH ", 5) == 0
		       ? SASL_LINE_LIMIT
		       : SMTP_LINE_LIMIT;
}

size_t auth_answer_limit(const char *bytes, size_t length)
{
	(void)bytes;
	(void)length;
	return SASL_LINE_LIMIT;
}

static const char *cannot_begin(const struct session *session)
{
	if (session->auth.backend == AUTH_BY_NOBODY) return REPLY_AUTH_ABSENT;
	if (session->auth.done) return REPLY_AUTH_TWICE;
	return session->transaction.open ? REPLY_AUTH_IN_MAIL : NULL;
}

static const struct mechanism *find_mechanism(const char *name)
{
	for (size_t i = 0; i < MECHANISM_COUNT; i++)
		if (strcasecmp(name, mechanisms[i].name) == 0)
			return &mechanisms[i];
	return NULL;
}

static const char *refuse_mechanism(const struct session *session,
				    const struct mechanism *mechanism)
{
	if (mechanism && is_offered(session, mechanism)) return NULL;
	return mechanism && session->auth.needs_tls ? REPLY_AUTH_NEEDS_TLS
						    : REPLY_AUTH_TYPE;
}

static void forget_login(struct auth *auth)
{
	auth->done = false;
	auth->mechanism = NULL;
	str_clear(&auth->login);
}

/* A plugin may know better: it is told who has come, before it is so. */
static void accept_login(struct session *session,
			 const struct auth_attempt *attempt, const char *word)
{
	struct auth *auth = &session->auth;

	str_append(&auth->login, attempt->login.data, attempt->login.length);
	auth->mechanism = word;
	if (plugins_run(session, PLUGINS_AUTH, NULL) == PLUGINS_REFUSE) {
		forget_login(auth);
		refuse(session, session->refusal.data);
		return;
	}
	auth->done = true;
	auth_settings_apply(session, &attempt->variables);
	log_event(session, "AUTH successful", auth->login.data);
	reply(session, REPLY_AUTH_DONE);
}

/* The session may be over. */
static void count_failure(struct session *session)
{
	unsigned long limit = session->settings.auth_failures_limit;

	session->auth.failures++;
	if (limit && session->auth.failures >= limit)
		session_give_up(session, REPLY_AUTH_TOO_OFTEN);
}

static void turn_away(struct session *session,
		      const struct auth_attempt *attempt)
{
	log_event(session, attempt->event, attempt->login.data);
	session_pause(session, session->settings.auth_delay);
	count_failure(session);
	refuse(session, REPLY_AUTH_FAILED);
}

/* A client that begins exchanges to break them off, or knows how to make a
   checker fail, has us start a program for each. */
static void break_off(struct session *session,
		      const struct auth_attempt *attempt)
{
	if (attempt->is_asked) count_failure(session);
	refuse(session, attempt->reply);
}

static void talk(struct session *session, const struct mechanism *mechanism,
		 char *initial)
{
	struct auth_attempt attempt = { .reply = NULL };

	switch (mechanism->talk(session, &attempt, initial)) {
	case AUTH_ACCEPTED:
		accept_login(session, &attempt, mechanism->word);
		break;
	case AUTH_REFUSED: turn_away(session, &attempt); break;
	case AUTH_UNFINISHED:
	default: break_off(session, &attempt); break;
	}
	str_free(&attempt.variables);
	str_free(&attempt.login);
}

void auth_run(struct session *session, const char *argument)
{
	/* The line is the session's; verbs are given it to be read only. */
	char *name = session->line.text + (argument - session->line.text);
	const char *refusal = cannot_begin(session);
	const struct mechanism *mechanism = NULL;
	char *initial = name + strcspn(name, " ");

	if (*initial) {
		*initial++ = '\0';
		initial += strspn(initial, " ");
	}
	if (!refusal) {
		mechanism = find_mechanism(name);
		refusal = refuse_mechanism(session, mechanism);
	}
	if (!refusal) {
		talk(session, mechanism, initial);
		return;
	}
	/* There may be a password all the same. */
	explicit_bzero(initial, strlen(initial));
	refuse(session, refusal);
}

const char *auth_is_there(struct session *session)
{
	const struct settings *settings = &session->settings;

	if (session->auth.done) return NULL;
	if (settings->auth_required && !settings->authorized)
		return REPLY_AUTH_NEEDED;
	return settings->require_auth || session->auth.required
		       ? REPLY_AUTH_FIRST
		       : NULL;
}

void auth_believe(struct session *session, const char *login)
{
	static const struct str no_variables = { .length = 0 };
	struct auth *auth = &session->auth;

	str_append_text(&auth->login, login);
	auth->mechanism = "xclient";
	auth->done = true;
	auth_settings_apply(session, &no_variables);
}

void auth_forget(struct session *session)
{
	if (session->auth.done) auth_settings_revoke(session);
	forget_login(&session->auth);
}
