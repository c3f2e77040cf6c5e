/* SPDX-License-Identifier: ISC */
#include "sources.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/message.h"
#include "base/str.h"
#include "mail/accounts.h"

/* qmail-getpw knows no longer names. */
enum { LONGEST_ACCOUNT = 31 };

void owner_add(struct record_list *list, const char *name, size_t length,
	       uint32_t owner)
{
	record_list_add(list, name, length, &owner, sizeof owner);
}

bool owner_find(const struct record_list *list, const char *name, size_t length,
		uint32_t *owner)
{
	struct record record;

	if (!record_list_find(list, name, length, &record)) return false;
	memcpy(owner, record.value, sizeof *owner);
	return true;
}

/* ---- whose a name is ---- */

uint32_t sources_owner_of_beginning(const struct sources *sources,
				    const char *name, size_t length)
{
	uint32_t owner;

	for (size_t i = length; i > 0; i--)
		if (sources->is_last_byte[(unsigned char)name[i - 1]] &&
		    owner_find(&sources->assigned_beginnings, name, i, &owner))
			return owner;
	if (owner_find(&sources->assigned_beginnings, "", 0, &owner))
		return owner;
	for (size_t i = length; i > 0; i--)
		if ((i == length || name[i] == '-') &&
		    owner_find(&sources->accounts, name, i, &owner))
			return owner;
	return (uint32_t)sources->count - 1;
}

uint32_t sources_owner_of_name(const struct sources *sources, const char *name,
			       size_t length)
{
	uint32_t owner;

	if (owner_find(&sources->assigned, name, length, &owner)) return owner;
	return sources_owner_of_beginning(sources, name, length);
}

/* ---- where that stands ---- */

static uint32_t add_source(struct sources *sources, const struct source *source)
{
	if (sources->count == sources->room) {
		sources->room = sources->room ? 2 * sources->room : 64;
		sources->all = reallocarray(sources->all, sources->room,
					    sizeof *source);
		if (!sources->all) {
			note("fatal: out of memory");
			exit(str_memory_exit);
		}
	}
	sources->all[sources->count] = *source;
	return (uint32_t)sources->count++;
}

static void read_assignments(struct sources *sources, const char *home,
			     struct report *report)
{
	static struct colon_file assign;
	struct assignment assignment;
	struct str path = { 0 };

	str_append_text(&path, home);
	str_append_text(&path, "/users/assign");
	if (colon_file_read(&assign, path.data, ACCOUNTS_LIMIT) < 0 &&
	    errno != ENOENT)
		report_unreadable(report, path.data);
	while (accounts_next_assignment(&assign, &assignment)) {
		const struct source source = {
			.names = assignment.local,
			.home = assignment.home,
			.dash = assignment.dash,
			.extension = assignment.extension,
			.account = assignment.account,
			.user = assignment.user,
			.group = assignment.group,
			.kind = assignment.is_beginning ? ASSIGNED_BEGINNING
							: ASSIGNED,
		};
		size_t length = strlen(source.names);

		owner_add(assignment.is_beginning
				  ? &sources->assigned_beginnings
				  : &sources->assigned,
			  source.names, length, add_source(sources, &source));
		if (assignment.is_beginning && length > 0) {
			unsigned char last =
				(unsigned char)source.names[length - 1];

			sources->is_last_byte[last] = true;
		}
	}
	str_free(&path);
}

static bool name_is_fit(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < length; i++)
		if (isupper((unsigned char)name[i])) return false;
	return length > 0 && length <= LONGEST_ACCOUNT;
}

/* As qmail-getpw has it: an account that owns its home, and is not root. */
static bool owns_home(const struct account *account, struct report *report)
{
	struct stat status;

	if (account->user == 0) return false;
	if (stat(account->home, &status) == 0)
		return status.st_uid == account->user;
	if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
		report_unreadable(report, account->home);
	return false;
}

static void add_account(struct sources *sources, const struct account *account)
{
	const struct source source = { .names = account->name,
				       .home = account->home,
				       .dash = "-",
				       .extension = "",
				       .account = account->name,
				       .user = account->user,
				       .group = account->group,
				       .kind = ACCOUNT };

	owner_add(&sources->accounts, account->name, strlen(account->name),
		  add_source(sources, &source));
}

/* Also, the home of the aliases, if it is said there. */
static void read_accounts(struct sources *sources, const char *path,
			  struct report *report, struct source *aliases)
{
	static struct colon_file passwd;
	struct account account;

	if (colon_file_read(&passwd, path, ACCOUNTS_LIMIT) < 0)
		report_unreadable(report, path);
	while (accounts_next(&passwd, &account)) {
		if (strcmp(account.name, "alias") == 0) {
			aliases->home = account.home;
			aliases->user = account.user;
			aliases->group = account.group;
		}
		if (name_is_fit(account.name) && owns_home(&account, report))
			add_account(sources, &account);
	}
}

static void sort(struct record_list *list)
{
	record_list_sort(list);
	record_list_drop_repeats(list);
}

void sources_read(struct sources *sources, const char *home,
		  const char *passwd_path, struct report *report)
{
	struct str folder = { 0 };
	struct source aliases = { .names = "",
				  .dash = "-",
				  .extension = "",
				  .account = "alias",
				  .kind = ALIASES };

	str_append_text(&folder, home);
	str_append_text(&folder, "/alias");
	aliases.home = folder.data;
	read_assignments(sources, home, report);
	read_accounts(sources, passwd_path, report, &aliases);
	add_source(sources, &aliases);
	sort(&sources->assigned);
	sort(&sources->assigned_beginnings);
	sort(&sources->accounts);
}
