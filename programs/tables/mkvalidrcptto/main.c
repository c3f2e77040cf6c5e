/* mkvalidrcptto: finds every address of this host, as qmail would deliver it,
   and prints the list or makes validrcptto.cdb of it, which takes the old one's
   place in one step.
   The surprise: when anything cannot be read, no table is made, since a list
   that lacks addresses refuses mail; but a domain whose addresses only another
   server knows is in it whole, as @DOMAIN.
   Reads users/assign, passwd, the dot-qmail files, vpopmail's mailboxes, and the
   control files locals, virtualdomains, rcpthosts, morercpthosts.cdb, me and
   validrcptto. 100: wrong use. 111: something could not be read or written.
   SPDX-License-Identifier: ISC */

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "addresses.h"
#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "base/str.h"
#include "locals.h"
#include "mail/accounts.h"
#include "report.h"
#include "system/record_list.h"
#include "system/replacement.h"

static const char usage[] = "mkvalidrcptto [ -n ] [ -c validrcptto.cdb ] "
			    "[ -g group ] [ -q home ] [ -p passwd ]";

struct settings {
	const char *table; /* NULL: print */
	const char *group;
	const char *home;
	const char *passwd;
	bool shows_progress;
};

static struct settings read_settings(int argc, char **argv)
{
	struct settings settings = { .passwd = "/etc/passwd",
				     .shows_progress = true };
	int letter;

	while ((letter = option_next(argc, argv, "nc:g:q:p:", usage)) != -1) {
		switch (letter) {
		case 'n': settings.shows_progress = false; break;
		case 'c': settings.table = optarg; break;
		case 'g': settings.group = optarg; break;
		case 'q': settings.home = optarg; break;
		default: settings.passwd = optarg; break;
		}
	}
	if (argc != optind) die_usage(usage);
	settings.home = accounts_choose_home(settings.home);
	return settings;
}

static void print(const struct record_list *addresses)
{
	for (size_t i = 0; i < addresses->count; i++) {
		struct record record = record_list_at(addresses, i);

		fwrite(record.key, 1, record.key_length, stdout);
		if (record.value_length) {
			putchar(' ');
			fwrite(record.value, 1, record.value_length, stdout);
		}
		putchar('\n');
	}
	if (fflush(stdout) != 0) die_temporary("unable to write output:");
}

/* Unlike passwords, addresses may be for all to read: if the old file was, and
   where nobody knows who smtpd runs as, which must not be a stranger to them. */
static void write_table(const struct settings *settings,
			const struct record_list *addresses)
{
	struct replacement_rights rights = {
		.most = 0644,
		.without_group = 0644,
	};
	char shown[SHOWN];

	if (accounts_find_readers(settings->passwd, settings->group, &rights) <
	    0)
		die_permanent(
			"there is no group %s",
			printable_text(shown, sizeof shown, settings->group));
	if (record_list_replace(addresses, settings->table, &rights) < 0)
		die_temporary(
			"unable to write %s:",
			printable_text(shown, sizeof shown, settings->table));
}

int main(int argc, char **argv)
{
	static struct locals locals;
	struct record_list addresses = { 0 };
	struct report report = { 0 };
	struct settings settings;

	program_name = "mkvalidrcptto";
	settings = read_settings(argc, argv);
	if (settings.shows_progress && settings.table)
		progress_start(&report.progress);
	locals_find(&locals, settings.home, settings.passwd, &report);
	addresses_find(&addresses, &locals, &report);
	record_list_sort(&addresses);
	record_list_drop_repeats(&addresses);
	report_end(&report);
	if (!settings.table) print(&addresses);
	if (report.is_incomplete)
		die_temporary("what could not be read may have had addresses");
	if (settings.table) write_table(&settings, &addresses);
	return EXIT_DONE;
}
