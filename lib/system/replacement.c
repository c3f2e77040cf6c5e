/* SPDX-License-Identifier: ISC */
#include "system/replacement.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/file.h"

/* What is to be removed when the process ends. */
static char unfinished[PATH_MAX];

static void remove_unfinished(void)
{
	if (*unfinished) unlink(unfinished);
	*unfinished = '\0';
}

/* Work in a handler: half a table of password hashes shall not lie about, and
   unlink and raise may be called here. */
static void end_by_signal(int number)
{
	remove_unfinished();
	signal(number, SIG_DFL);
	raise(number);
}

static void expect_the_end(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM, SIGXCPU,
				       SIGXFSZ };
	static bool expected;

	if (expected) return;
	expected = true;
	atexit(remove_unfinished);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		if (signal(signals[i], end_by_signal) == SIG_IGN)
			signal(signals[i], SIG_IGN);
}

/* FOLDER/.NAME.XXXXXX */
static void name_temporary(struct str *temporary, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t folder = slash ? (size_t)(slash - path) + 1 : 0;

	str_clear(temporary);
	str_append(temporary, path, folder);
	str_append_byte(temporary, '.');
	str_append_text(temporary, path + folder);
	str_append_text(temporary, ".XXXXXX");
}

int replacement_start(struct replacement *replacement, const char *path,
		      const struct replacement_rights *rights)
{
	str_clear(&replacement->path);
	str_append_text(&replacement->path, path);
	name_temporary(&replacement->temporary, path);
	replacement->rights = *rights;
	if (replacement->temporary.length >= sizeof unfinished) {
		errno = ENAMETOOLONG;
		return -1;
	}
	expect_the_end();
	replacement->fd = mkostemp(replacement->temporary.data, O_CLOEXEC);
	if (replacement->fd < 0) return -1;
	memcpy(unfinished, replacement->temporary.data,
	       replacement->temporary.length + 1);
	return 0;
}

static bool is_ours(const struct stat *old)
{
	return S_ISREG(old->st_mode) && old->st_uid == geteuid() &&
	       old->st_nlink == 1;
}

/* The rights come after the group: nobody else's group may read meanwhile. */
int replacement_give_rights(int fd, const char *path,
			    const struct replacement_rights *rights)
{
	bool has_group = rights->has_group, must = rights->group_is_wanted;
	gid_t group = rights->group;
	mode_t mode = 0640;
	struct stat old;

	if (!has_group && rights->without_group) mode = rights->without_group;
	if (lstat(path, &old) == 0 && is_ours(&old)) {
		mode = old.st_mode & rights->most;
		if (!must) group = old.st_gid;
		has_group = must = true;
	}
	if (has_group && fchown(fd, (uid_t)-1, group) < 0 &&
	    (must || errno != EPERM))
		return -1;
	return fchmod(fd, mode);
}

int replacement_finish(struct replacement *replacement)
{
	const char *path = replacement->path.data;

	if (replacement_give_rights(replacement->fd, path,
				    &replacement->rights) < 0 ||
	    fsync(replacement->fd) < 0 || close(replacement->fd) < 0 ||
	    rename(replacement->temporary.data, path) < 0)
		return -1;
	*unfinished = '\0';
	return file_sync_folder_of(path);
}
