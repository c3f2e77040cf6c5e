/* auth-cdb: a checkpassword program over auth.cdb, the table of logins and
   password hashes that mkauth makes. Who the client says to be comes on
   descriptor 3; if it is so, the next program is run, with the login's settings
   in its environment.
   The surprise: nothing is said about why a login was refused, unless with -p,
   and a stranger costs as much time as a wrong password. Delays against guessing
   are the caller's, and so is the log.

   Takes, on descriptor 3 and to its end, at most 512 bytes:

	LOGIN NUL PASSWORD NUL CHALLENGE NUL

   where PASSWORD may be CRAM-MD5's answer to CHALLENGE (RFC 2195), which is
   otherwise nothing, or a timestamp that is not looked at. With -s instead, a
   conversation on descriptor 3, a socket: the client's first SCRAM message, ours,
   the client's last, ours when it proved itself (RFC 5802, 7677), each as it is
   before base64 and with a NUL behind it.
   Gives SMTP_AUTH_USER=LOGIN and the settings to the program; with -p, and then
   there is no program, it writes them to descriptor 1, each with a NUL behind it,
   or else why the login is refused, and a NUL.
   Exit: the program's; 0 with -p; 1 refused; 2 misuse; 111 cannot say.
   No password is ever in an argument, a variable or a message.
   SPDX-License-Identifier: ISC */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/exit_codes.h"
#include "base/message.h"
#include "base/str.h"
#include "logins.h"
#include "password.h"
#include "system/file.h"
#include "system/process.h"

enum checkpassword_exit { EXIT_REFUSED = 1, EXIT_MISUSE = 2 };

enum {
	REQUEST_FD = 3,
	REQUEST_LIMIT = 512,
	NONCE_BYTES = 18, /* no padding in base64 */
	DRAWS = 64,
	SHOWN = 256,
};

enum verdict {
	ACCEPTED,
	UNKNOWN_LOGIN,
	BAD_PASSWORD,
	EXPIRED,
	MALFORMED,
};

/* As they have always stood in smtpd's log. */
static const char *const reasons[] = {
	[UNKNOWN_LOGIN] = "unknown user",
	[BAD_PASSWORD] = "bad password",
	[EXPIRED] = "password expired",
	[MALFORMED] = "malformed answer",
};

struct settings {
	bool prints;
	bool is_scram;
	char **next; /* NULL with -p */
};

struct request {
	char bytes[REQUEST_LIMIT + 1]; /* one more: too many */
	size_t length;
	const char *login;
	const char *password;
	const char *challenge;
};

/* ---- what is asked ---- */

/* Not die_usage: for a checkpassword program 100 would be one more way to say
   that the password is wrong. */
static _Noreturn void die_misused(const char *why)
{
	note("%s", why);
	note("usage: auth-cdb [ -s ] program [ arg ... ], or: auth-cdb -p [ -s "
	     "]; "
	     "descriptor 3 asks");
	exit(EXIT_MISUSE);
}

static struct settings read_settings(int argc, char **argv)
{
	struct settings settings = { 0 };
	int letter;

	opterr = 0;
	while ((letter = getopt(argc, argv, "+ps")) != -1) {
		switch (letter) {
		case 'p': settings.prints = true; break;
		case 's': settings.is_scram = true; break;
		default: die_misused("illegal option");
		}
	}
	if (settings.prints == (optind < argc))
		die_misused(settings.prints ? "with -p there is no program"
					    : "no program to run");
	if (!settings.prints) settings.next = argv + optind;
	return settings;
}

static _Noreturn void die_of_reading(void)
{
	if (errno == EBADF) die_misused("descriptor 3 is not open");
	die_temporary("unable to read descriptor 3:");
}

static size_t read_some(char *into, size_t room)
{
	ssize_t n;

	do n = read(REQUEST_FD, into, room);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == ECONNRESET) return 0; /* a caller that is gone */
	if (n < 0) die_of_reading();
	return (size_t)n;
}

static const char *next_field(const struct request *request, size_t *at)
{
	const char *field = request->bytes + *at;
	const char *end = memchr(field, '\0', request->length - *at);

	if (!end) die_misused("descriptor 3 has not three strings");
	*at += (size_t)(end - field) + 1;
	return field;
}

/* False when it is too long, which a client can bring about. */
static bool read_request(struct request *request)
{
	size_t at = 0, n;

	while ((n = read_some(request->bytes + request->length,
			      sizeof request->bytes - request->length)) > 0)
		request->length += n;
	if (request->length > REQUEST_LIMIT) return false;
	request->login = next_field(request, &at);
	request->password = next_field(request, &at);
	request->challenge = next_field(request, &at);
	return true;
}

/* ---- the verdict ---- */

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

static enum verdict check_request(struct logins *logins,
				  const struct request *request,
				  struct auth_entry *entry)
{
	bool is_known = logins_find(logins, request->login, entry);

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

/* Up to a NUL; what follows it would have been sent too early. False at the
   end: the client gave up. */
static bool read_message(char message[SCRAM_MESSAGE_LIMIT + 1])
{
	size_t length = 0, n;

	do {
		n = read_some(message + length,
			      SCRAM_MESSAGE_LIMIT + 1 - length);
		length += n;
		if (n == 0) return false;
	} while (!memchr(message + length - n, '\0', n));
	return strlen(message) + 1 == length;
}

static void send_answer(const struct scram *scram)
{
	if (file_write(REQUEST_FD, scram->answer.data,
		       scram->answer.length + 1) < 0)
		die_temporary("unable to write to descriptor 3:");
}

static void make_nonce(struct str *nonce)
{
	char bytes[NONCE_BYTES];

	if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
		die_temporary("unable to draw a number:");
	base64_encode(nonce, bytes, sizeof bytes);
}

static enum verdict converse(struct logins *logins, struct scram *scram,
			     struct auth_entry *entry)
{
	static char message[SCRAM_MESSAGE_LIMIT + 1];
	struct scram_secret secret;
	struct str nonce = { 0 };
	bool is_known, has_secret;

	if (!read_message(message) || scram_read_first(scram, message) < 0)
		return MALFORMED;
	is_known = logins_find(logins, scram->login.data, entry);
	has_secret = is_known && entry->kind == AUTH_ENTRY_SCRAM;
	logins_invent_scram(logins, scram->login.data, &secret);
	if (has_secret) secret = entry->scram;
	make_nonce(&nonce);
	scram_challenge(scram, &secret, nonce.data);
	send_answer(scram);
	if (!read_message(message)) return MALFORMED;
	switch (scram_read_final(scram, &secret, message)) {
	case SCRAM_MALFORMED: return MALFORMED;
	case SCRAM_NOT_PROVED: break;
	case SCRAM_PROVED:
		return has_secret ? check_expiry(entry) : UNKNOWN_LOGIN;
	}
	return is_known ? BAD_PASSWORD : UNKNOWN_LOGIN;
}

/* ---- what comes of it ---- */

static _Noreturn void refuse(const struct settings *settings,
			     enum verdict verdict)
{
	const char *reason = reasons[verdict];

	if (settings->prints &&
	    file_write(STDOUT_FILENO, reason, strlen(reason) + 1) < 0)
		die_temporary("unable to write output:");
	exit(EXIT_REFUSED);
}

/* Each NAME=VALUE with a NUL behind it. */
static void list_settings(struct auth_entry *entry, const char *login,
			  struct str *list)
{
	struct auth_setting setting;
	char shown[SHOWN];

	while (auth_entry_next_setting(entry, &setting)) {
		size_t before = list->length;

		if (auth_setting_is_expiry(&setting)) continue;
		str_append(list, setting.name, setting.name_length);
		if (auth_setting_is_unsafe(&setting)) {
			warn("auth.cdb may not set %s for %s",
			     list->data + before,
			     printable_text(shown, sizeof shown, login));
			list->length = before;
			continue;
		}
		str_append_byte(list, '=');
		str_append(list, setting.value, setting.value_length);
		str_append_byte(list, '\0');
	}
	str_append_text(list, "SMTP_AUTH_USER=");
	str_append_text(list, login);
	str_append_byte(list, '\0');
}

static void set_variables(struct str *list)
{
	for (size_t at = 0, length; at < list->length; at += length + 1) {
		char *variable = list->data + at;
		char *equals = strchr(variable, '=');

		length = strlen(variable);
		*equals = '\0';
		process_set(variable, equals + 1);
		*equals = '=';
	}
}

static void accept_login(const struct settings *settings,
			 struct auth_entry *entry, const char *login)
{
	struct str list = { 0 };

	list_settings(entry, login, &list);
	close(REQUEST_FD);
	if (settings->prints) {
		if (file_write(STDOUT_FILENO, list.data, list.length) < 0)
			die_temporary("unable to write output:");
		return;
	}
	set_variables(&list);
	process_run_next(settings->next);
}

static size_t at_password(const struct request *request)
{
	return (size_t)(request->password - request->bytes);
}

/* The login that the verdict is about, in memory that stays. */
static enum verdict hear(const struct settings *settings, struct logins *logins,
			 struct auth_entry *entry, const char **login)
{
	static struct request request;
	static struct scram scram;
	enum verdict verdict;

	if (settings->is_scram) {
		logins_open(logins);
		verdict = converse(logins, &scram, entry);
		*login = scram.login.data;
		if (verdict == ACCEPTED) send_answer(&scram);
		return verdict;
	}
	if (!read_request(&request)) {
		verdict = MALFORMED;
	} else {
		logins_open(logins);
		verdict = check_request(logins, &request, entry);
	}
	*login = request.login;
	if (request.password)
		explicit_bzero(request.bytes + at_password(&request),
			       sizeof request.bytes - at_password(&request));
	return verdict;
}

int main(int argc, char **argv)
{
	static struct logins logins;
	static struct auth_entry entry;
	struct settings settings;
	enum verdict verdict;
	const char *login;

	program_name = "auth-cdb";
	(void)prctl(PR_SET_DUMPABLE, 0); /* no core, and nobody may look on */
	settings = read_settings(argc, argv);
	verdict = hear(&settings, &logins, &entry, &login);
	if (verdict != ACCEPTED) refuse(&settings, verdict);
	accept_login(&settings, &entry, login);
	return EXIT_DONE;
}
