/* SPDX-License-Identifier: ISC */
#include "locals.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/message.h"
#include "base/str.h"
#include "dot_qmail.h"
#include "mail/accounts.h"
#include "mail/vpopmail.h"
#include "system/file.h"

/* Whose files decide about the names that begin so: .qmail, the dash, and the
   extension and the rest of the name, with ':' for '.'. What is ASSIGNED is one
   name; those of an account are its own and what begins with that and a dash. The
   texts are those of the files, which stay in memory. */
struct source {
	const char *names;
	const char *home;
	const char *dash;
	const char *extension;
	const char *account;
	uid_t user;
	gid_t group;
	enum { ASSIGNED, ASSIGNED_BEGINNING, ACCOUNT, ALIASES } kind;
};

/* qmail-getpw knows no longer names. */
enum { LONGEST_ACCOUNT = 31 };

static const char dot_qmail[] = ".qmail";
static const char rest[] = "default";

/* Sources. */

static uint32_t add_source(struct locals *locals, const struct source *source)
{
	if (locals->count == locals->room) {
		locals->room = locals->room ? 2 * locals->room : 64;
		locals->sources = reallocarray(locals->sources, locals->room,
					       sizeof *source);
		if (!locals->sources) {
			note("fatal: out of memory");
			exit(str_memory_exit);
		}
	}
	locals->sources[locals->count] = *source;
	return (uint32_t)locals->count++;
}

static void add_owned(struct record_list *list, const char *key, size_t length,
		      uint32_t owner)
{
	record_list_add(list, key, length, &owner, sizeof owner);
}

static bool find_owner(const struct record_list *list, const char *key,
		       size_t length, uint32_t *owner)
{
	struct record record;

	if (!record_list_find(list, key, length, &record)) return false;
	memcpy(owner, record.value, sizeof *owner);
	return true;
}

/* The last source is the aliases: what nobody else decides about. */
static uint32_t owner_of_beginning(const struct locals *locals,
				   const char *name, size_t length)
{
	uint32_t owner;

	for (size_t i = length; i > 0; i--)
		if (locals->is_last_byte[(unsigned char)name[i - 1]] &&
		    find_owner(&locals->assigned_beginnings, name, i, &owner))
			return owner;
	if (find_owner(&locals->assigned_beginnings, "", 0, &owner))
		return owner;
	for (size_t i = length; i > 0; i--)
		if ((i == length || name[i] == '-') &&
		    find_owner(&locals->accounts, name, i, &owner))
			return owner;
	return (uint32_t)locals->count - 1;
}

static uint32_t owner_of_name(const struct locals *locals, const char *name,
			      size_t length)
{
	uint32_t owner;

	if (find_owner(&locals->assigned, name, length, &owner)) return owner;
	return owner_of_beginning(locals, name, length);
}

/* What a source has. */

struct scan {
	struct locals *locals;
	const struct source *source;
	uint32_t owner;
	struct report *report;
	struct vpopmail vpopmail;
	int folder;
	struct str name;
	struct str text;
};

static void add_name(struct scan *scan, const char *name, size_t length)
{
	struct locals *locals = scan->locals;

	if (length == 0 || owner_of_name(locals, name, length) != scan->owner)
		return;
	add_owned(&locals->names, name, length, scan->owner);
	progress_step(&scan->report->progress, "names");
}

/* smtpd asks for names up to a dash only. */
static void add_beginning(struct scan *scan, const char *beginning,
			  size_t length)
{
	char shown[SHOWN];

	if (length == 0 || beginning[length - 1] == '-')
		add_owned(&scan->locals->beginnings, beginning, length,
			  scan->owner);
	else if (report_may_warn(scan->report))
		warn("names that begin with %s are not in the list, since "
		     "there is no dash at its end",
		     printable_text(shown, sizeof shown, beginning));
}

static void add_lower(struct scan *scan, const char *beginning,
		      const char *name)
{
	struct str *whole = &scan->name;

	str_clear(whole);
	str_append_text(whole, beginning);
	str_append_text(whole, name);
	for (size_t i = 0; i < whole->length; i++)
		whole->data[i] = (char)tolower((unsigned char)whole->data[i]);
	add_name(scan, whole->data, whole->length);
}

static void add_mailboxes(struct scan *scan, const char *beginning,
			  const struct vpopmail_domain *domain)
{
	struct vpopmail *vpopmail = &scan->vpopmail;
	struct vpopmail_mailbox mailbox;
	const char *alias;

	while (vpopmail_next_mailbox(vpopmail, &mailbox))
		if (!(mailbox.flags & VPOPMAIL_BOUNCE_MAIL))
			add_lower(scan, beginning, mailbox.name);
	if (!vpopmail->is_of_program) return;
	if (vpopmail_read_aliases(vpopmail, domain) < 0)
		report_unreadable(scan->report, domain->folder);
	else
		while (vpopmail_next_alias(vpopmail, &alias))
			add_lower(scan, beginning, alias);
}

/* Where nobody can say which mailboxes there are, all names are taken: that is
   what it was without the list. */
static void read_mailboxes(struct scan *scan, const char *beginning)
{
	const struct source *source = scan->source;
	struct vpopmail_domain domain = { source->account, source->home,
					  source->user, source->group };
	char shown[SHOWN];

	if (vpopmail_read_mailboxes(&scan->vpopmail, &domain) == 0) {
		add_mailboxes(scan, beginning, &domain);
		return;
	}
	if (errno != ENOENT) {
		report_unreadable(scan->report, source->home);
		return;
	}
	if (report_may_warn(scan->report))
		warn("no vpasswd and no vuserinfo for %s: all its names are "
		     "taken",
		     printable_text(shown, sizeof shown, source->home));
	add_beginning(scan, beginning, strlen(beginning));
}

/* Whose folder an administrator looks after. Other homes are their owners', who
   must not be able to keep the whole table from being made. */
static bool is_of_domain(const struct source *source)
{
	return source->kind == ASSIGNED_BEGINNING && strchr(source->names, '.');
}

/* What cannot be read, or is too long, may be for anybody. */
static unsigned read_use(struct scan *scan, int fd)
{
	str_clear(&scan->text);
	if (file_read_rest(fd, &scan->text, DOT_QMAIL_LIMIT) < 0)
		return DOT_QMAIL_TAKES_ALL;
	str_append_byte(&scan->text, '\n');
	return dot_qmail_use(scan->text.data);
}

/* FILE is for all names that begin so and have no file of their own. */
static void take_rest(struct scan *scan, const char *file,
		      const char *beginning)
{
	size_t length = strlen(beginning);
	unsigned use;
	int fd;

	if (owner_of_beginning(scan->locals, beginning, length) != scan->owner)
		return;
	fd = openat(scan->folder, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT) return; /* it has just gone */
	use = read_use(scan, fd);
	if (fd >= 0) close(fd);
	if (use & DOT_QMAIL_HAS_MAILBOXES && !is_of_domain(scan->source))
		use = DOT_QMAIL_TAKES_ALL;
	if (use & DOT_QMAIL_TAKES_ALL) add_beginning(scan, beginning, length);
	if (use & DOT_QMAIL_HAS_MAILBOXES) read_mailboxes(scan, beginning);
}

static bool begins_with(const char *text, const char *beginning)
{
	return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* "default", or "…-default" */
static bool is_for_rest(const char *name, size_t length)
{
	size_t begin = length - strlen(rest);

	return length >= strlen(rest) && strcmp(name + begin, rest) == 0 &&
	       (begin == 0 || name[begin - 1] == '-');
}

/* The extension that a file's name is for; false when it can be none: qmail
   looks for lower case, and for ':' in place of '.'. */
static bool read_extension(struct str *extension, const char *name)
{
	str_clear(extension);
	str_append_text(extension, name);
	for (size_t i = 0; i < extension->length; i++) {
		char *c = extension->data + i;

		if (*c == '.' || isupper((unsigned char)*c)) return false;
		if (*c == ':') *c = '.';
	}
	return true;
}

static void take_file(struct scan *scan, const char *file)
{
	const struct source *source = scan->source;
	const char *name = file + strlen(dot_qmail);
	struct str extension = { 0 }, names = { 0 };
	const char *from = source->extension;

	if (!begins_with(name, source->dash) ||
	    !read_extension(&extension, name + strlen(source->dash))) {
		str_free(&extension);
		return;
	}
	str_append_text(&names, source->names);
	if (source->kind == ACCOUNT) str_append_byte(&names, '-');
	if (is_for_rest(extension.data, extension.length)) {
		extension.length -= strlen(rest);
		extension.data[extension.length] = '\0';
		if (begins_with(extension.data, from)) {
			str_append_text(&names, extension.data + strlen(from));
			take_rest(scan, file, names.data);
		} else if (begins_with(from, extension.data)) {
			take_rest(scan, file, names.data);
		}
	} else if (begins_with(extension.data, from)) {
		str_append_text(&names, extension.data + strlen(from));
		add_name(scan, names.data, names.length);
	}
	str_free(&names);
	str_free(&extension);
}

static bool is_file(const struct scan *scan, const struct dirent *entry)
{
	struct stat status;

	if (entry->d_type == DT_REG) return true;
	if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
		return false;
	return fstatat(scan->folder, entry->d_name, &status, 0) == 0 &&
	       S_ISREG(status.st_mode);
}

static void take_unreadable(struct scan *scan)
{
	const struct source *source = scan->source;
	struct str names = { 0 };
	char shown[SHOWN];

	if (source->kind == ALIASES && errno == ENOENT) return;
	if (source->kind == ALIASES || is_of_domain(source)) {
		report_unreadable(scan->report, source->home);
		return;
	}
	if (report_may_warn(scan->report))
		warn("all names of %s are taken, since its home cannot be "
		     "read:",
		     printable_text(shown, sizeof shown, source->account));
	str_append_text(&names, source->names);
	if (source->kind == ACCOUNT) str_append_byte(&names, '-');
	if (owner_of_beginning(scan->locals, names.data, names.length) ==
	    scan->owner)
		add_beginning(scan, names.data, names.length);
	str_free(&names);
}

static void read_folder(struct scan *scan)
{
	DIR *folder = opendir(scan->source->home);
	const struct dirent *entry;

	if (!folder) {
		take_unreadable(scan);
		return;
	}
	scan->folder = dirfd(folder);
	for (errno = 0; (entry = readdir(folder)) != NULL; errno = 0)
		if (begins_with(entry->d_name, dot_qmail) &&
		    is_file(scan, entry))
			take_file(scan, entry->d_name);
	if (errno) take_unreadable(scan);
	closedir(folder);
}

/* The files that are looked for, in their order; any of them will do. */
static bool has_file(struct str *path, const struct source *source)
{
	const char *extension = source->extension;
	size_t begin, i = strlen(extension);

	str_clear(path);
	str_append_text(path, source->home);
	str_append_byte(path, '/');
	str_append_text(path, dot_qmail);
	str_append_text(path, source->dash);
	begin = path->length;
	for (const char *c = extension; *c; c++)
		str_append_byte(path, *c == '.' ? ':' : *c);
	if (access(path->data, F_OK) == 0) return true;
	for (;; i--) {
		if (i == 0 || extension[i - 1] == '-') {
			path->length = begin + i;
			str_append_text(path, rest);
			if (access(path->data, F_OK) == 0) return true;
		}
		if (i == 0) return false;
	}
}

/* Without a dash there need be no file: that is a mailbox. */
static void scan_source(struct scan *scan)
{
	const struct source *source = scan->source;
	const char *names = source->names;
	size_t length = strlen(names);

	if (source->kind == ASSIGNED) {
		if (!*source->dash || has_file(&scan->name, source))
			add_name(scan, names, length);
		return;
	}
	if (source->kind == ACCOUNT) add_name(scan, names, length);
	if (*source->dash) read_folder(scan);
	else if (owner_of_beginning(scan->locals, names, length) == scan->owner)
		add_beginning(scan, names, length);
}

/* Who decides. */

static void read_assignments(struct locals *locals, const char *home,
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

		add_owned(assignment.is_beginning ? &locals->assigned_beginnings
						  : &locals->assigned,
			  source.names, length, add_source(locals, &source));
		if (assignment.is_beginning && length > 0)
			locals->is_last_byte[(unsigned char)
						     source.names[length - 1]] =
				true;
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

static void add_account(struct locals *locals, const struct account *account)
{
	const struct source source = { .names = account->name,
				       .home = account->home,
				       .dash = "-",
				       .extension = "",
				       .account = account->name,
				       .user = account->user,
				       .group = account->group,
				       .kind = ACCOUNT };

	add_owned(&locals->accounts, account->name, strlen(account->name),
		  add_source(locals, &source));
}

/* Also, the home of the aliases, if it is said there. */
static void read_accounts(struct locals *locals, const char *path,
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
			add_account(locals, &account);
	}
}

static void sort(struct record_list *list)
{
	record_list_sort(list);
	record_list_drop_repeats(list);
}

void locals_find(struct locals *locals, const char *home,
		 const char *passwd_path, struct report *report)
{
	struct scan scan = { .locals = locals, .report = report };
	struct str folder = { 0 };
	struct source aliases = { .names = "",
				  .dash = "-",
				  .extension = "",
				  .account = "alias",
				  .kind = ALIASES };

	str_append_text(&folder, home);
	str_append_text(&folder, "/alias");
	aliases.home = folder.data;
	read_assignments(locals, home, report);
	read_accounts(locals, passwd_path, report, &aliases);
	add_source(locals, &aliases);
	sort(&locals->assigned);
	sort(&locals->assigned_beginnings);
	sort(&locals->accounts);
	for (size_t i = 0; i < locals->count; i++) {
		scan.owner = (uint32_t)i;
		scan.source = &locals->sources[i];
		scan_source(&scan);
	}
	vpopmail_close(&scan.vpopmail);
	sort(&locals->names);
	sort(&locals->beginnings);
}

/* Does a beginning of at most `most` bytes take it, if `owner` decides? */
static bool is_taken(const struct locals *locals, const char *name, size_t most,
		     uint32_t owner)
{
	uint32_t taker;

	for (size_t i = 0; i <= most; i++)
		if ((i == 0 || name[i - 1] == '-') &&
		    find_owner(&locals->beginnings, name, i, &taker) &&
		    taker == owner)
			return true;
	return false;
}

bool locals_has(const struct locals *locals, const char *name, size_t length)
{
	uint32_t owner;

	return find_owner(&locals->names, name, length, &owner) ||
	       is_taken(locals, name, length,
			owner_of_name(locals, name, length));
}

bool locals_cover(const struct locals *locals, const char *beginning,
		  size_t length)
{
	return is_taken(locals, beginning, length,
			owner_of_beginning(locals, beginning, length));
}
