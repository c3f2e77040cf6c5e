/* SPDX-License-Identifier: ISC */
#include "domains.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/message.h"
#include "base/str.h"
#include "control_files.h"
#include "mail/accounts.h"
#include "mail/control.h"
#include "mail/vpopmail.h"

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
		collection_add_hash(collection, login.data, mailbox.password,
				    "");
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

void add_domains(struct collection *collection)
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
