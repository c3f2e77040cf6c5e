/* SPDX-License-Identifier: ISC */
#include "mail/greylist_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/message.h"
#include "system/file.h"

enum {
	/* jgreylist-clean may remove a folder that we have just made, not for
	   ever. */
	MOST_TRIES = 10,
};

/* The whole name of an entry; `entry` is where the key's part of it begins. */
struct place {
	char path[PATH_MAX];
	char *entry;
};

static int find_place(struct place *place, const char *folder,
		      const struct greylist_key *key)
{
	size_t length = strlen(folder);

	if (length + 1 + GREYLIST_PATH > sizeof place->path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(place->path, folder, length);
	place->path[length] = '/';
	place->entry = place->path + length + 1;
	greylist_key_path(key, place->entry);
	return 0;
}

/* Nothing but a file is an entry: a folder in its place is one of another
   JGREYLIST_BY_IP, a symbolic link is none of ours. */
static int read_entry(const struct place *place, struct greylist_entry *entry)
{
	struct stat file;

	if (lstat(place->path, &file) < 0) return -1;
	if (!S_ISREG(file.st_mode)) {
		errno = S_ISDIR(file.st_mode) ? EISDIR : EINVAL;
		return -1;
	}
	entry->first = file.st_mtime;
	entry->last = file.st_atime;
	return 0;
}

/* Those that the entry lies in, from the outermost; never the store's own. */
static int make_folders(struct place *place)
{
	for (char *slash = strchr(place->entry, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		int result;

		*slash = '\0';
		result = mkdir(place->path, 0700);
		*slash = '/';
		if (result < 0 && errno != EEXIST) return -1;
	}
	return 0;
}

/* openat: musl's open would set FD_CLOEXEC once more by a call. */
static int create_file(const struct place *place)
{
	return openat(AT_FDCWD, place->path,
		      O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

/* The new entry's descriptor, or -1: EEXIST when somebody was quicker. */
static int create_entry(struct place *place)
{
	int fd = create_file(place);

	for (int i = 0; fd < 0 && errno == ENOENT && i < MOST_TRIES; i++) {
		if (make_folders(place) < 0 && errno != ENOENT) return -1;
		fd = create_file(place);
	}
	return fd;
}

static enum greylist_state first_contact(struct place *place,
					 const struct greylist_contact *contact)
{
	int fd = create_entry(place);

	if (fd >= 0) {
		close(fd);
		return GREYLIST_FIRST;
	}
	if (errno != EEXIST) return GREYLIST_FAILED;
	/* Another connection's first contact was a moment ago. */
	return greylist_state(contact->now, contact->hold_seconds,
			      contact->now);
}

/* Seconds ahead are another connection that was quicker; more are a clock that
   was wrong. */
static bool is_ahead(time_t time, time_t now)
{
	return time - now > GREYLIST_LAZY_SECONDS;
}

static bool is_worth_noting(const struct greylist_entry *entry,
			    const struct greylist_contact *contact,
			    enum greylist_state state)
{
	if (contact->now - entry->last > GREYLIST_LAZY_SECONDS ||
	    is_ahead(entry->last, contact->now) ||
	    is_ahead(entry->first, contact->now))
		return true;
	return state == GREYLIST_KNOWN &&
	       !greylist_has_passed(entry, contact->hold_seconds);
}

/* A first contact ahead becomes one of now: the client would be too soon until
   then, which may be for years. */
static int note_contact(const struct place *place,
			const struct greylist_entry *entry, time_t now)
{
	struct timespec times[2] = { { .tv_sec = now },
				     { .tv_nsec = UTIME_OMIT } };

	if (is_ahead(entry->first, now)) times[1] = times[0];
	return utimensat(AT_FDCWD, place->path, times, AT_SYMLINK_NOFOLLOW);
}

static enum greylist_state failed(const char **cause)
{
	*cause = error_text(errno);
	return GREYLIST_FAILED;
}

enum greylist_state
greylist_tree_contact(const char *folder,
		      const struct greylist_contact *contact,
		      const char **cause)
{
	struct place place;
	struct greylist_entry entry;
	enum greylist_state state;

	*cause = NULL;
	if (find_place(&place, folder, &contact->key) < 0) return failed(cause);
	if (read_entry(&place, &entry) < 0) {
		if (errno != ENOENT) return failed(cause);
		state = first_contact(&place, contact);
		return state == GREYLIST_FAILED ? failed(cause) : state;
	}
	state = greylist_state(entry.first, contact->hold_seconds,
			       contact->now);
	/* ENOENT: jgreylist-clean was here. What has been read still counts. */
	if (is_worth_noting(&entry, contact, state) &&
	    note_contact(&place, &entry, contact->now) < 0 && errno != ENOENT)
		*cause = error_text(errno);
	return state;
}

enum greylist_state greylist_tree_look(const char *folder,
				       const struct greylist_contact *contact,
				       struct greylist_entry *entry,
				       const char **cause)
{
	struct place place;

	*cause = NULL;
	if (find_place(&place, folder, &contact->key) < 0) return failed(cause);
	if (read_entry(&place, entry) == 0)
		return greylist_state(entry->first, contact->hold_seconds,
				      contact->now);
	return errno == ENOENT ? GREYLIST_FIRST : failed(cause);
}

/* What root makes, jgreylist has to change later. */
static int give_to_owner(int fd, const struct stat *owner)
{
	if (geteuid() != 0) return 0;
	return fchownat(fd, "", owner->st_uid, owner->st_gid, AT_EMPTY_PATH);
}

/* A folder of the store; with an `owner`, made if need be. A descriptor, or
   -1. */
static int enter(int parent, const char *name, const struct stat *owner)
{
	bool made = owner && mkdirat(parent, name, 0700) == 0;
	int fd;

	if (owner && !made && errno != EEXIST) return -1;
	fd = openat(parent, name,
		    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || !made || give_to_owner(fd, owner) == 0) return fd;
	file_close(fd);
	return -1;
}

/* The folder that the entry is in, of which `*name` is left. Step by step: this
   may be root, whom a symbolic link in the tree must not lead elsewhere. With
   an `owner`, what is missing is made. */
static int enter_folders(const char *store, char **name, struct stat *owner)
{
	int fd = openat(AT_FDCWD, store, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *slash;

	if (fd >= 0 && owner && fstat(fd, owner) < 0) {
		file_close(fd);
		return -1;
	}
	while (fd >= 0 && (slash = strchr(*name, '/'))) {
		int parent = fd;

		*slash = '\0';
		fd = enter(parent, *name, owner);
		file_close(parent);
		*name = slash + 1;
	}
	return fd;
}

static int open_entry(int folder, const char *name, const struct stat *owner)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			0600);

	if (fd < 0 && errno == EEXIST)
		return openat(folder, name,
			      O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && give_to_owner(fd, owner) < 0) {
		file_close(fd);
		return -1;
	}
	return fd;
}

static int set_once(const char *store, const struct greylist_key *key,
		    const struct greylist_entry *entry)
{
	const struct timespec times[2] = { { .tv_sec = entry->last },
					   { .tv_sec = entry->first } };
	char path[GREYLIST_PATH], *name = path;
	struct stat owner;
	int folder, fd, result;

	greylist_key_path(key, path);
	folder = enter_folders(store, &name, &owner);
	if (folder < 0) return -1;
	fd = open_entry(folder, name, &owner);
	file_close(folder);
	if (fd < 0) return -1;
	result = futimens(fd, times);
	file_close(fd);
	return result;
}

int greylist_tree_set(const char *store, const struct greylist_key *key,
		      const struct greylist_entry *entry)
{
	int result = -1;

	for (int i = 0; i < MOST_TRIES; i++) {
		result = set_once(store, key, entry);
		if (result == 0 || errno != ENOENT) break;
	}
	return result;
}

int greylist_tree_forget(const char *store, const struct greylist_key *key)
{
	char path[GREYLIST_PATH], *name = path;
	int folder, result;

	greylist_key_path(key, path);
	folder = enter_folders(store, &name, NULL);
	if (folder < 0) return -1;
	result = unlinkat(folder, name, 0);
	file_close(folder);
	return result;
}

const char *greylist_tree_complaint(const char *store)
{
	struct stat folder;

	if (stat(store, &folder) == 0) {
		if (!S_ISDIR(folder.st_mode)) return "is not a directory";
		if (access(store, R_OK | W_OK | X_OK) == 0) return NULL;
	}
	switch (errno) {
	case ENOENT: return "does not exist";
	case ENOTDIR: return "is not a directory";
	case EACCES: return "is not readable, writable and searchable";
	default: return NULL;
	}
}
