/* SPDX-License-Identifier: ISC */
#include "locals.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/message.h"
#include "base/str.h"
#include "dot_qmail.h"
#include "mail/vpopmail.h"
#include "system/file.h"

static const char dot_qmail[] = ".qmail";
static const char rest[] = "default";

/* ---- what a source has ---- */

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

	if (length == 0 || sources_owner_of_name(&locals->sources, name,
						 length) != scan->owner)
		return;
	owner_add(&locals->names, name, length, scan->owner);
	progress_step(&scan->report->progress, "names");
}

/* smtpd asks for names up to a dash only. */
static void add_beginning(struct scan *scan, const char *beginning,
			  size_t length)
{
	char shown[SHOWN];

	if (length == 0 || beginning[length - 1] == '-')
		owner_add(&scan->locals->beginnings, beginning, length,
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

	if (sources_owner_of_beginning(&scan->locals->sources, beginning,
				       length) != scan->owner)
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
	if (sources_owner_of_beginning(&scan->locals->sources, names.data,
				       names.length) == scan->owner)
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
	else if (sources_owner_of_beginning(&scan->locals->sources, names,
					    length) == scan->owner)
		add_beginning(scan, names, length);
}

/* ---- all of it ---- */

static void sort(struct record_list *list)
{
	record_list_sort(list);
	record_list_drop_repeats(list);
}

void locals_find(struct locals *locals, const char *home,
		 const char *passwd_path, struct report *report)
{
	struct scan scan = { .locals = locals, .report = report };

	sources_read(&locals->sources, home, passwd_path, report);
	for (size_t i = 0; i < locals->sources.count; i++) {
		scan.owner = (uint32_t)i;
		scan.source = &locals->sources.all[i];
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
		    owner_find(&locals->beginnings, name, i, &taker) &&
		    taker == owner)
			return true;
	return false;
}

bool locals_has(const struct locals *locals, const char *name, size_t length)
{
	uint32_t owner;

	return owner_find(&locals->names, name, length, &owner) ||
	       is_taken(locals, name, length,
			sources_owner_of_name(&locals->sources, name, length));
}

bool locals_cover(const struct locals *locals, const char *beginning,
		  size_t length)
{
	return is_taken(locals, beginning, length,
			sources_owner_of_beginning(&locals->sources, beginning,
						   length));
}
