/* SPDX-License-Identifier: ISC */
#include "check.h"

#include <sys/random.h>
#include <time.h>

#include "base/base64.h"
#include "base/message.h"
#include "password.h"
#include "scram_keys.h"

enum {
	NONCE_BYTES = 18, /* no padding in base64 */
	DRAWS = 64,
	SHOWN = 256,
};

static enum verdict check_expiry(const struct auth_entry *entry)
{
	struct auth_entry left = *entry;
	struct auth_setting setting;
	time_t now = time(NULL);

	while (auth_entry_next_setting(&left, &setting))
		if (auth_setting_is_expiry(&setting) &&
		    auth_setting_has_expired(&setting, now))
			return EXPIRED;
	return ACCEPTED;
}

/* ---- a password, or an answer ---- */

static void warn_of_hash(const char *login)
{
	char shown[SHOWN];

	warn("auth.cdb has no hash that is known here for %s",
	     printable_text(shown, sizeof shown, login));
}

/* As long as a wrong password of somebody takes. */
static void spend_time(struct logins *logins, const struct request *request)
{
	struct auth_entry entry;

	for (unsigned i = 0; i < DRAWS; i++) {
		if (!logins_draw(logins, request->login, i, &entry)) break;
		if (entry.kind != AUTH_ENTRY_LOCKED &&
		    password_check(&entry, request->password,
				   request->challenge) != PASSWORD_UNCHECKED)
			return;
	}
	password_check_nothing(request->password);
}

enum verdict check_request(struct logins *logins, const struct request *request,
			   struct auth_entry *entry)
{
	bool is_known;

	/* Takes time too, the first time, so everybody's name is drawn with. */
	(void)logins_draw(logins, request->login, 0, entry);
	is_known = logins_find(logins, request->login, entry);
	if (is_known && entry->kind != AUTH_ENTRY_LOCKED) {
		switch (password_check(entry, request->password,
				       request->challenge)) {
		case PASSWORD_MATCHES: return check_expiry(entry);
		case PASSWORD_DIFFERS: return BAD_PASSWORD;
		case PASSWORD_UNCHECKED: warn_of_hash(request->login); break;
		}
	}
	spend_time(logins, request);
	return is_known ? BAD_PASSWORD : UNKNOWN_LOGIN;
}

/* ---- SCRAM ---- */

static void make_nonce(struct str *nonce)
{
	char bytes[NONCE_BYTES];

	if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
		die_temporary("unable to draw a number:");
	base64_encode(nonce, bytes, sizeof bytes);
}

static void challenge(struct scram *scram, const struct scram_secret *secret)
{
	struct str nonce = { 0 };

	make_nonce(&nonce);
	scram_challenge(scram, secret, nonce.data);
	str_free(&nonce);
	request_send_message(&scram->answer);
}

enum verdict check_by_scram(struct logins *logins, struct scram *scram,
			    struct auth_entry *entry)
{
	static char message[MESSAGE_ROOM];
	struct scram_secret secret;
	bool is_known, has_secret;

	if (!request_read_message(message) ||
	    scram_read_first(scram, message) < 0)
		return MALFORMED;
	is_known = logins_find(logins, scram->login.data, entry);
	has_secret = is_known && entry->kind == AUTH_ENTRY_SCRAM;
	logins_invent_scram(logins, scram->login.data, &secret);
	if (has_secret) secret = entry->scram;
	challenge(scram, &secret);
	if (!request_read_message(message) ||
	    scram_read_final(scram, message) < 0)
		return MALFORMED;
	if (scram_keys_are_proved(&secret, scram) && has_secret)
		return check_expiry(entry);
	return is_known ? BAD_PASSWORD : UNKNOWN_LOGIN;
}
