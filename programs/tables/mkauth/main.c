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

#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "base/str.h"
#include "collection.h"
#include "control_files.h"
#include "domains.h"
#include "mail/accounts.h"
#include "secret.h"
#include "settings.h"
#include "system/replacement.h"
#include "users.h"

static const char usage[] =
	"mkauth [ -an ] [ -c auth.cdb ] [ -g group ] [ -u uid ] [ -q home ] "
	"[ -p passwd ] [ -s shadow ]";

enum { FIRST_USER = 1000 }; /* those before it are the system's */

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
	read_authsettings(&collection);
	add_authusers(&collection);
	add_domains(&collection);
	add_users(&collection);
	if (settings.table) add_secret(&collection.logins, settings.table);
	collection_finish(&collection);
	if (settings.table) write_table(&settings, &collection.logins);
	else print(&collection.logins);
	return EXIT_DONE;
}
