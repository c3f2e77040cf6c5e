/* mkauth: collects the logins of this host and their password hashes, and
   prints them or makes auth.cdb of them, which takes the old one's place in one
   step. Reads passwd, shadow, the domains of vpopmail in users/assign, and the
   control files authusers and authsettings.
   The surprise: accounts that no mail user has are left out unless -a asks for
   them (those of the system, those that are locked), root and who has an empty
   password always: whoever may try passwords at port 25 shall not find them.
   100: wrong use, or a control file that is wrong. 111: something could not be
   read or written; the old file stays.
   SPDX-License-Identifier: ISC */

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "base/parse.h"
#include "base/str.h"
#include "mail/accounts.h"
#include "mail/control.h"
#include "mail/vpopmail.h"
#include "system/progress.h"
#include "system/record_list.h"
#include "system/replacement.h"

static const char usage[] =
	"mkauth [ -an ] [ -c auth.cdb ] [ -g group ] [ -u uid ] [ -q home ] "
	"[ -p passwd ] [ -s shadow ]";

enum {
	FIRST_USER = 1000, /* those before it are the system's */
	NOBODY = 65534,
	SHORTEST_HASH = 13, /* of the first crypt */
	SHOWN = 256,
	MOST_SHOWN = 50,
	SECONDS_A_DAY = 86400,
};

struct settings {
	const char *table; /* NULL: print */
	const char *group;
	const char *home;
	const char *passwd;
	const char *shadow;
	unsigned long first_user;
	bool takes_all;
	bool shows_progress;
};

struct collection {
	const struct settings *settings;
	struct record_list logins;
	struct record_list login_settings; /* control/authsettings */
	struct record_list shadow;
	struct str me;
	struct str value;
	struct progress progress;
	unsigned long warnings;
};

static bool may_warn(struct collection *collection)
{
	progress_wipe(&collection->progress);
	return ++collection->warnings <= MOST_SHOWN;
}

/* What may stand in auth.cdb. */

/* A login stands on a line of its own, with a blank behind it. */
static bool login_is_fit(const char *login)
{
	for (const char *c = login; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f) return false;
	return *login != '\0';
}

/* A comma would begin the settings. */
static bool hash_is_fit(const char *hash)
{
	for (const char *c = hash; *c; c++)
		if (*c <= ' ' || *c == 0x7f || *c == ',' || *c == '"')
			return false;
	return *hash != '\0';
}

static bool hash_opens(const char *hash)
{
	return strlen(hash) >= SHORTEST_HASH && !strchr("!*", *hash);
}

/* NAME="VALUE",NAME="VALUE" */
static bool settings_are_fit(const char *text)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
				      "abcdefghijklmnopqrstuvwxyz0123456789";

	for (;;) {
		size_t name = strspn(text, letters);
		const char *end;

		if (name == 0 || (*text >= '0' && *text <= '9') ||
		    text[name] != '=' || text[name + 1] != '"')
			return false;
		end = strchr(text + name + 2, '"');
		if (!end) return false;
		if (!end[1]) return true;
		if (end[1] != ',') return false;
		text = end + 2;
	}
}

/* Adding. */

static void add(struct collection *collection, const char *login)
{
	struct str *value = &collection->value;
	struct record settings;

	if (record_list_find(&collection->login_settings, login, strlen(login),
			     &settings)) {
		str_append_byte(value, ',');
		str_append(value, settings.value, settings.value_length);
	}
	record_list_add(&collection->logins, login, strlen(login), value->data,
			value->length);
	progress_step(&collection->progress, "logins");
}

static void add_hash(struct collection *collection, const char *login,
		     const char *hash, const char *expiry)
{
	struct str *value = &collection->value;
	unsigned long days;
	char shown[SHOWN];

	if (!*hash || !login_is_fit(login) || !hash_is_fit(hash)) {
		if (may_warn(collection))
			warn("left out %s: %s",
			     printable_text(shown, sizeof shown, login),
			     *hash ? "its bytes are not fit for a table"
				   : "its password is empty");
		return;
	}
	if (!collection->settings->takes_all && !hash_opens(hash)) return;
	str_clear(value);
	str_append_text(value, hash);
	if (parse_number(expiry, 0, UINT32_MAX, &days) == 0) {
		str_append_text(value, ",PASSWORD_EXPIRES=\"");
		str_append_number(value, days * SECONDS_A_DAY);
		str_append_byte(value, '"');
	}
	add(collection, login);
}

/* The control files: authusers has whole values, authsettings what is put
   behind those of others. */

static _Noreturn void die_of_line(const char *name, const char *line)
{
	char shown[SHOWN];

	die_permanent("control/%s: wrong line for %s", name,
		      printable_text(shown, sizeof shown, line));
}

static _Noreturn void die_of_control(const char *name)
{
	die_temporary("unable to read control/%s:", name);
}

/* The line is cut behind the login. */
static char *cut_login(char *line)
{
	char *end = line + strcspn(line, " \t");

	if (!*end) return end;
	*end++ = '\0';
	return end + strspn(end, " \t");
}

static bool value_is_fit(char *value)
{
	char *comma = strchr(value, ',');
	bool is_fit;

	if (comma) *comma = '\0';
	is_fit = hash_is_fit(value) && (!comma || settings_are_fit(comma + 1));
	if (comma) *comma = ',';
	return is_fit;
}

static void read_settings_of_logins(struct collection *collection)
{
	struct record_list *settings = &collection->login_settings;
	struct str lines = { 0 };

	if (control_read_list("authsettings", &lines) == CONTROL_FAILED)
		die_of_control("authsettings");
	for (size_t at = 0, next; at < lines.length; at = next) {
		char *line = lines.data + at, *text;

		next = at + strlen(line) + 1;
		text = cut_login(line);
		if (!login_is_fit(line) || !settings_are_fit(text))
			die_of_line("authsettings", line);
		record_list_add(settings, line, strlen(line), text,
				strlen(text));
	}
	record_list_sort(settings);
	record_list_drop_repeats(settings);
	str_free(&lines);
}

static void add_control_users(struct collection *collection)
{
	struct str lines = { 0 };

	if (control_read_list("authusers", &lines) == CONTROL_FAILED)
		die_of_control("authusers");
	for (size_t at = 0, next; at < lines.length; at = next) {
		char *line = lines.data + at, *text;

		next = at + strlen(line) + 1;
		text = cut_login(line);
		if (!login_is_fit(line) || !value_is_fit(text))
			die_of_line("authusers", line);
		str_clear(&collection->value);
		str_append_text(&collection->value, text);
		add(collection, line);
	}
	str_free(&lines);
}

/* vpopmail. */

static void add_mailboxes(struct collection *collection,
			  struct vpopmail *vpopmail, const char *domain)
{
	struct vpopmail_mailbox mailbox;
	struct str login = { 0 };

	while (vpopmail_next_mailbox(vpopmail, &mailbox)) {
		if (mailbox.flags & VPOPMAIL_NO_SMTP &&
		    !collection->settings->takes_all)
			continue;
		str_clear(&login);
		str_append_text(&login, mailbox.name);
		str_append_byte(&login, '@');
		str_append_text(&login, domain);
		add_hash(collection, login.data, mailbox.password, "");
	}
	str_free(&login);
}

/* A domain without mailboxes is somebody else's, mailing lists perhaps. An
   alias domain, +ALIAS-:DOMAIN:…, has DOMAIN's folder and mailboxes. */
static void add_domain(struct collection *collection,
		       const struct assignment *assignment,
		       struct vpopmail *vpopmail)
{
	const struct vpopmail_domain domain = { assignment->account,
						assignment->home,
						assignment->user,
						assignment->group };
	struct str name = { 0 };
	char shown[SHOWN];

	str_append(&name, assignment->local, strlen(assignment->local) - 1);
	if (vpopmail_read_mailboxes(vpopmail, &domain) == 0) {
		add_mailboxes(collection, vpopmail, name.data);
	} else if (errno != ENOENT) {
		progress_wipe(&collection->progress);
		die_temporary("unable to read the mailboxes of %s:",
			      printable_text(shown, sizeof shown, name.data));
	}
	str_free(&name);
}

/* DOMAIN:DOMAIN, in small letters or not. The names of an account begin with its
   name and a dash, too, and in its home it could make itself logins. */
static void read_virtual_domains(struct record_list *domains)
{
	struct str lines = { 0 };

	if (control_read_list("virtualdomains", &lines) == CONTROL_FAILED)
		die_of_control("virtualdomains");
	for (size_t at = 0, next; at < lines.length; at = next) {
		char *line = lines.data + at, *colon = strchr(line, ':');

		next = at + strlen(line) + 1;
		for (char *c = line; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		if (!colon) continue;
		*colon = '\0';
		if (strcmp(line, colon + 1) == 0)
			record_list_add(domains, line, strlen(line), "", 0);
	}
	record_list_sort(domains);
	str_free(&lines);
}

static bool is_domain(const struct assignment *assignment,
		      const struct record_list *domains)
{
	size_t length = strlen(assignment->local);
	struct record record;

	return assignment->is_beginning && length > 1 &&
	       assignment->local[length - 1] == '-' &&
	       record_list_find(domains, assignment->local, length - 1,
				&record);
}

static void add_domains(struct collection *collection)
{
	struct record_list domains = { 0 };
	struct colon_file assign = { 0 };
	struct vpopmail vpopmail = { 0 };
	struct assignment assignment;
	struct str path = { 0 };

	str_append_text(&path, collection->settings->home);
	str_append_text(&path, "/users/assign");
	if (colon_file_read(&assign, path.data, ACCOUNTS_LIMIT) < 0 &&
	    errno != ENOENT)
		die_temporary("unable to read users/assign:");
	read_virtual_domains(&domains);
	while (accounts_next_assignment(&assign, &assignment))
		if (is_domain(&assignment, &domains))
			add_domain(collection, &assignment, &vpopmail);
	record_list_free(&domains);
	vpopmail_close(&vpopmail);
	colon_file_close(&assign);
	str_free(&path);
}

/* passwd and shadow. */

/* NAME: HASH, a NUL, and the day from which on the account is closed. */
static void read_shadow(struct collection *collection)
{
	const struct settings *settings = collection->settings;
	struct record_list *shadow = &collection->shadow;
	struct colon_file file = { 0 };
	char shown[SHOWN];

	if (colon_file_read(&file, settings->shadow, ACCOUNTS_LIMIT) < 0 &&
	    errno != ENOENT)
		die_temporary(
			"unable to read %s:",
			printable_text(shown, sizeof shown, settings->shadow));
	while (colon_file_next(&file)) {
		struct str value = { 0 };

		str_append_text(&value, file.field[1]);
		str_append_byte(&value, '\0');
		str_append(&value, file.field[7], strlen(file.field[7]) + 1);
		record_list_add(shadow, file.field[0], strlen(file.field[0]),
				value.data, value.length);
		str_free(&value);
	}
	record_list_sort(shadow);
	colon_file_close(&file);
}

static void add_account(struct collection *collection,
			const struct account *account)
{
	const char *hash = account->password, *expiry = "";
	struct str login = { 0 };
	struct record shadow;

	if (record_list_find(&collection->shadow, account->name,
			     strlen(account->name), &shadow)) {
		hash = shadow.value;
		expiry = hash + strlen(hash) + 1;
	}
	str_append_text(&login, account->name);
	add_hash(collection, login.data, hash, expiry);
	if (*hash && collection->me.length) {
		str_append_byte(&login, '@');
		str_append_text(&login, collection->me.data);
		add_hash(collection, login.data, hash, expiry);
	}
	str_free(&login);
}

static void add_accounts(struct collection *collection)
{
	const struct settings *settings = collection->settings;
	struct colon_file passwd = { 0 };
	struct account account;
	char shown[SHOWN];

	read_shadow(collection);
	if (colon_file_read(&passwd, settings->passwd, ACCOUNTS_LIMIT) < 0)
		die_temporary(
			"unable to read %s:",
			printable_text(shown, sizeof shown, settings->passwd));
	while (accounts_next(&passwd, &account)) {
		bool is_users = account.user >= settings->first_user &&
				account.user != NOBODY;

		if (account.user != 0 && (is_users || settings->takes_all))
			add_account(collection, &account);
	}
	colon_file_close(&passwd);
}

/* What comes out. */

static void warn_of_repeats(struct collection *collection)
{
	const struct record_list *logins = &collection->logins;

	for (size_t i = 1; i < logins->count; i++) {
		struct record one = record_list_at(logins, i - 1);
		struct record other = record_list_at(logins, i);
		char shown[SHOWN];
		struct str login = { 0 };

		if (one.key_length != other.key_length ||
		    memcmp(one.key, other.key, one.key_length) != 0)
			continue;
		str_append(&login, one.key, one.key_length);
		if (may_warn(collection))
			warn("more than one password for %s: that of "
			     "control/authusers counts, then vpopmail's",
			     printable_text(shown, sizeof shown, login.data));
		str_free(&login);
	}
}

static void print(const struct record_list *logins)
{
	for (size_t i = 0; i < logins->count; i++) {
		struct record record = record_list_at(logins, i);

		fwrite(record.key, 1, record.key_length, stdout);
		putchar(' ');
		fwrite(record.value, 1, record.value_length, stdout);
		putchar('\n');
	}
	if (fflush(stdout) != 0) die_temporary("unable to write output:");
}

static void write_table(const struct settings *settings,
			const struct record_list *logins)
{
	struct replacement_rights rights = { .most = 0640 };
	char shown[SHOWN];

	if (accounts_find_readers(settings->passwd, settings->group, &rights) <
	    0)
		die_permanent(
			"there is no group %s",
			printable_text(shown, sizeof shown, settings->group));
	if (record_list_replace(logins, settings->table, &rights) < 0)
		die_temporary(
			"unable to write %s:",
			printable_text(shown, sizeof shown, settings->table));
}

/* The beginning. */

static struct settings read_settings(int argc, char **argv)
{
	struct settings settings = {
		.passwd = "/etc/passwd",
		.shadow = "/etc/shadow",
		.first_user = FIRST_USER,
		.shows_progress = true,
	};
	int letter;

	while ((letter = option_next(argc, argv, "anc:g:u:q:p:s:", usage)) !=
	       -1) {
		switch (letter) {
		case 'a': settings.takes_all = true; break;
		case 'n': settings.shows_progress = false; break;
		case 'c': settings.table = optarg; break;
		case 'g': settings.group = optarg; break;
		case 'u':
			settings.first_user =
				option_number(letter, 1, UINT32_MAX, usage);
			break;
		case 'q': settings.home = optarg; break;
		case 'p': settings.passwd = optarg; break;
		default: settings.shadow = optarg; break;
		}
	}
	if (argc != optind) die_usage(usage);
	settings.home = accounts_choose_home(settings.home);
	return settings;
}

int main(int argc, char **argv)
{
	static struct collection collection;
	struct settings settings;

	program_name = "mkauth";
	settings = read_settings(argc, argv);
	collection.settings = &settings;
	if (settings.shows_progress && settings.table)
		progress_start(&collection.progress);
	if (control_read_line("me", &collection.me) == CONTROL_FAILED)
		die_of_control("me");
	read_settings_of_logins(&collection);
	add_control_users(&collection);
	add_domains(&collection);
	add_accounts(&collection);
	record_list_sort(&collection.logins);
	warn_of_repeats(&collection);
	record_list_drop_repeats(&collection.logins);
	progress_wipe(&collection.progress);
	if (collection.warnings > MOST_SHOWN)
		warn("%lu more warnings", collection.warnings - MOST_SHOWN);
	if (settings.table) write_table(&settings, &collection.logins);
	else print(&collection.logins);
	return EXIT_DONE;
}
