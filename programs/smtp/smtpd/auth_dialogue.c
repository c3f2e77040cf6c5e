/* SPDX-License-Identifier: ISC */
#include "auth_dialogue.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/base64.h"
#include "mail/sasl.h"
#include "mail/scram.h"
#include "replies.h"

/* ---- what both sides say ---- */

static void ask(struct session *session, const struct str *challenge)
{
	struct str text = { 0 };

	base64_encode(&text, challenge->data, challenge->length);
	reply_part(session, REPLY_AUTH_CONTINUE);
	reply(session, text.data);
	str_free(&text);
}

/* Takes it out of base64 and wipes it. 0, or -1 and the attempt's reply. */
static int decode(struct auth_attempt *attempt, struct str *answer, char *line,
		  size_t length)
{
	enum sasl_answer kind = sasl_read_answer(answer, line, length);

	explicit_bzero(line, length);
	if (kind == SASL_ANSWERED) return 0;
	attempt->reply = kind == SASL_CANCELLED ? REPLY_AUTH_CANCELLED
						: REPLY_AUTH_MALFORMED;
	return -1;
}

static int hear(struct session *session, struct auth_attempt *attempt,
		struct str *answer)
{
	struct smtp_line *line = &session->line;

	switch (session_read_answer(session)) {
	case SMTP_LINE_WHOLE:
		return decode(attempt, answer, line->text, line->length);
	case SMTP_LINE_TOO_LONG: attempt->reply = REPLY_LINE_TOO_LONG; break;
	case SMTP_LINE_HAS_NUL:
	case SMTP_LINE_PARTIAL:
	default: attempt->reply = REPLY_AUTH_MALFORMED; break;
	}
	return -1;
}

/* The answer in AUTH's line, or the one to `question`. */
static int hear_first(struct session *session, struct auth_attempt *attempt,
		      char *initial, const char *question, struct str *answer)
{
	if (*initial) return decode(attempt, answer, initial, strlen(initial));
	reply(session, question);
	return hear(session, attempt, answer);
}

static enum auth_verdict malformed(struct auth_attempt *attempt)
{
	attempt->reply = REPLY_AUTH_MALFORMED;
	return AUTH_UNFINISHED;
}

/* ---- the mechanisms ---- */

static enum auth_verdict check(struct session *session,
			       struct auth_attempt *attempt,
			       const struct sasl_login *login,
			       const char *challenge)
{
	str_append_text(&attempt->login, login->login);
	return auth_check(session, attempt, login->secret, challenge);
}

enum auth_verdict auth_by_plain(struct session *session,
				struct auth_attempt *attempt, char *initial)
{
	enum auth_verdict verdict = AUTH_UNFINISHED;
	struct str answer = { 0 };
	struct sasl_login login;

	if (hear_first(session, attempt, initial, REPLY_AUTH_CONTINUE,
		       &answer) == 0)
		verdict = sasl_read_plain(&login, &answer) == 0
				  ? check(session, attempt, &login, "")
				  : malformed(attempt);
	sasl_wipe(&answer);
	return verdict;
}

static enum auth_verdict hear_password(struct session *session,
				       struct auth_attempt *attempt)
{
	enum auth_verdict verdict = AUTH_UNFINISHED;
	struct str password = { 0 };

	reply(session, REPLY_AUTH_PASSWORD);
	if (hear(session, attempt, &password) == 0)
		verdict = sasl_is_string(&password)
				  ? auth_check(session, attempt, password.data,
					       "")
				  : malformed(attempt);
	sasl_wipe(&password);
	return verdict;
}

enum auth_verdict auth_by_login(struct session *session,
				struct auth_attempt *attempt, char *initial)
{
	if (hear_first(session, attempt, initial, REPLY_AUTH_USERNAME,
		       &attempt->login) < 0)
		return AUTH_UNFINISHED;
	if (!sasl_is_string(&attempt->login)) return malformed(attempt);
	return hear_password(session, attempt);
}

/* <PID.TIME@HOST>; behind the time stand digits that nobody can know, so that it
   was never a challenge before. */
static void make_challenge(const struct session *session, struct str *challenge)
{
	unsigned long unknown = 0;

	(void)!getrandom(&unknown, sizeof unknown, GRND_NONBLOCK);
	str_append_byte(challenge, '<');
	str_append_number(challenge, (unsigned long)getpid());
	str_append_byte(challenge, '.');
	str_append_number(challenge, (unsigned long)time(NULL));
	str_append_number(challenge, unknown);
	str_append_byte(challenge, '@');
	str_append_text(challenge, session->auth.host);
	str_append_byte(challenge, '>');
}

enum auth_verdict auth_by_cram_md5(struct session *session,
				   struct auth_attempt *attempt, char *initial)
{
	enum auth_verdict verdict = AUTH_UNFINISHED;
	struct str challenge = { 0 }, answer = { 0 };
	struct sasl_login login;

	/* There is nothing yet to answer to. */
	if (*initial) return malformed(attempt);
	make_challenge(session, &challenge);
	ask(session, &challenge);
	if (hear(session, attempt, &answer) == 0)
		verdict = sasl_read_cram(&login, &answer) == 0
				  ? check(session, attempt, &login,
					  challenge.data)
				  : malformed(attempt);
	sasl_wipe(&answer);
	str_free(&challenge);
	return verdict;
}

/* A round of it: the table's message goes to the client, whose answer comes. */
static int pass_on(struct session *session, struct auth_attempt *attempt,
		   const struct auth_exchange *exchange, struct str *answer)
{
	str_clear(answer);
	ask(session, &exchange->message);
	return hear(session, attempt, answer);
}

/* The client has nothing to say to our proof, which SMTP has no other place for
   (RFC 4954 section 4). */
static enum auth_verdict prove_ourselves(struct session *session,
					 struct auth_attempt *attempt,
					 const struct auth_exchange *exchange,
					 struct str *answer)
{
	if (pass_on(session, attempt, exchange, answer) < 0)
		return AUTH_UNFINISHED;
	return answer->length == 0 ? AUTH_ACCEPTED : malformed(attempt);
}

/* Whoever ends the exchange early has a say: the table's verdict, or the client's
   reply. */
static enum auth_verdict converse(struct session *session,
				  struct auth_attempt *attempt,
				  struct auth_exchange *exchange,
				  struct str *answer)
{
	enum auth_verdict verdict;

	if (auth_exchange_pass(exchange, answer) < 0)
		return auth_exchange_end(attempt, exchange);
	if (pass_on(session, attempt, exchange, answer) < 0) {
		const char *reply = attempt->reply;

		(void)auth_exchange_end(attempt, exchange);
		attempt->reply = reply;
		return AUTH_UNFINISHED;
	}
	if (sasl_is_string(answer)) (void)auth_exchange_pass(exchange, answer);
	verdict = auth_exchange_end(attempt, exchange);
	if (verdict != AUTH_ACCEPTED) return verdict;
	return prove_ourselves(session, attempt, exchange, answer);
}

enum auth_verdict auth_by_scram(struct session *session,
				struct auth_attempt *attempt, char *initial)
{
	enum auth_verdict verdict = AUTH_UNFINISHED;
	struct auth_exchange exchange = { .message = { 0 } };
	struct scram first = { .login = { 0 } };
	struct str answer = { 0 };

	if (hear_first(session, attempt, initial, REPLY_AUTH_CONTINUE,
		       &answer) == 0) {
		/* Only for the log. */
		if (!sasl_is_string(&answer) ||
		    scram_read_first(&first, answer.data) < 0)
			verdict = malformed(attempt);
		else if (auth_exchange_begin(session, attempt, &exchange) ==
			 0) {
			str_append(&attempt->login, first.login.data,
				   first.login.length);
			verdict =
				converse(session, attempt, &exchange, &answer);
		}
	}
	scram_free(&first);
	str_free(&exchange.message);
	sasl_wipe(&answer);
	return verdict;
}
