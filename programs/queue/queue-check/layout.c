/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/message.h"
#include "base/parse.h"
#include "base/str.h"
#include "inside.h"
#include "queue.h"

enum { TCPTO_BYTES = 1024 };

static const char sendmutex[] = "lock/sendmutex";

struct folder {
	const char *name;
	uid_t owner;
	mode_t mode;
	bool is_split;
};

/* ---- the split ---- */

/* The largest number among its folders, and one; 0 when there is none. */
static unsigned long count_folders(const char *folder)
{
	DIR *list = inside_list(folder);
	const struct dirent *entry;
	unsigned long number, count = 0;

	while (list && (entry = readdir(list))) {
		char path[PATH_ROOM];
		struct stat it;

		if (parse_number(entry->d_name, 0, LARGEST_SPLIT, &number) < 0)
			continue;
		snprintf(path, sizeof path, "%s/%lu", folder, number);
		if (inside_look(path, &it) == 0 && S_ISDIR(it.st_mode) &&
		    number >= count)
			count = number + 1;
	}
	if (list) closedir(list);
	return count;
}

static bool is_folder(const char *path)
{
	struct stat it;

	return inside_look(path, &it) == 0 && S_ISDIR(it.st_mode);
}

/* What is there decides: the other number would be right for no message. */
static bool find_split(struct queue *queue)
{
	unsigned long wanted = queue->split;
	char wrong[96];

	queue->split = count_folders("mess");
	if (!queue->split) queue->split = count_folders("info");
	if (!queue->split) queue->split = wanted ? wanted : STANDARD_SPLIT;
	if (!wanted || wanted == queue->split) return true;
	snprintf(wrong, sizeof wrong, "has %lu folders, not %lu", queue->split,
		 wanted);
	leave(queue, "mess", wrong);
	return false;
}

/* A file system of its own has a lost+found from the first. */
static bool is_empty(const char *folder)
{
	DIR *list = inside_list(folder);
	const struct dirent *entry;
	bool empty = true;

	while (list && (entry = readdir(list)))
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0 &&
		    strcmp(entry->d_name, "lost+found") != 0)
			empty = false;
	if (list) closedir(list);
	return empty;
}

/* The home, say, or "/", which are nobody's to change. These two are what is made
   first; other names of a queue's folders are common. */
static bool is_a_queue(void)
{
	return is_folder("mess") || is_folder("pid");
}

static bool find_split_of_todo(struct queue *queue)
{
	bool wanted = queue->split_todo;

	queue->split_todo = is_folder("todo/0");
	if (!wanted || queue->split_todo) return true;
	queue->split_todo = is_empty("todo") && is_empty("intd");
	if (queue->split_todo) return true;
	leave(queue, "todo", "is not split, and not empty");
	return false;
}

/* ---- folders ---- */

static struct rights rights_for(const struct queue *queue, uid_t owner,
				mode_t mode)
{
	return (struct rights){
		.owner = owner,
		.group = queue->owners.group,
		.any_group = !queue->owners.has_group,
		.mode = mode,
		.names = 1,
	};
}

static void make_folder(struct queue *queue, const char *path,
			const struct rights *rights)
{
	if (!repair(queue, path, "is not there", "created")) return;
	if (inside_make_folder(path) < 0 || give_rights(path, rights) < 0)
		cannot(queue, "create", path);
}

/* False: there are no folders below it. */
static bool check_folder(struct queue *queue, const char *path,
			 const struct rights *rights)
{
	struct stat it;

	if (inside_look(path, &it) < 0) {
		if (errno == ENOENT) make_folder(queue, path, rights);
		else cannot(queue, "look at", path);
		return true;
	}
	if (!S_ISDIR(it.st_mode)) {
		leave(queue, path, "is no folder");
		return false;
	}
	if (it.st_dev != queue->device)
		leave(queue, path, "is on another file system");
	check_rights(queue, path, rights);
	return true;
}

static void check_folders(struct queue *queue)
{
	const struct owners *owners = &queue->owners;
	const struct folder folders[] = {
		{ ".", owners->queue, 0750, false },
		{ "pid", owners->queue, 0700, false },
		{ "mess", owners->queue, 0750, true },
		{ "intd", owners->queue, 0700, queue->split_todo },
		{ "todo", owners->queue, 0750, queue->split_todo },
		{ "info", owners->send, 0700, true },
		{ "local", owners->send, 0700, true },
		{ "remote", owners->send, 0700, true },
		{ "bounce", owners->send, 0700, false },
		{ "lock", owners->queue, 0750, false },
	};

	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		const struct folder *folder = &folders[i];
		const struct rights rights =
			rights_for(queue, folder->owner, folder->mode);

		if (!check_folder(queue, folder->name, &rights) ||
		    !folder->is_split)
			continue;
		for (unsigned long n = 0; n < queue->split; n++) {
			char path[PATH_ROOM];

			snprintf(path, sizeof path, "%s/%lu", folder->name, n);
			check_folder(queue, path, &rights);
		}
	}
}

/* ---- lock/ ---- */

struct lock_file {
	const char *path;
	mode_t type;
	off_t size;
	uid_t owner;
	mode_t mode;
};

static int make_lock_file(const struct lock_file *file)
{
	int fd, result;

	if (file->type == S_IFIFO) return inside_make_fifo(file->path);
	fd = inside_open(file->path, O_WRONLY | O_CREAT | O_EXCL);
	if (fd < 0) return -1;
	result = ftruncate(fd, file->size);
	close(fd);
	return result;
}

/* With a name outside of the queue it is somebody else's file. */
static int open_lock_file(const char *path)
{
	int fd = inside_open(path, O_WRONLY);
	struct stat it;

	if (fd < 0) return -1;
	if (fstat(fd, &it) == 0 && S_ISREG(it.st_mode) && it.st_nlink <= 1)
		return fd;
	close(fd);
	errno = EMLINK;
	return -1;
}

static void check_size(struct queue *queue, const struct lock_file *file,
		       off_t size)
{
	char wrong[64];
	int fd;

	if (file->size == 0 || size == file->size) return;
	snprintf(wrong, sizeof wrong, "has %lld bytes, not %lld",
		 (long long)size, (long long)file->size);
	if (!repair(queue, file->path, wrong, "changed")) return;
	fd = open_lock_file(file->path);
	if (fd < 0 || ftruncate(fd, file->size) < 0)
		cannot(queue, "write", file->path);
	if (fd >= 0) close(fd);
}

static void check_lock_file(struct queue *queue, const struct lock_file *file)
{
	const struct rights rights = rights_for(queue, file->owner, file->mode);
	struct stat it;

	if (inside_look(file->path, &it) < 0) {
		if (repair(queue, file->path, "is not there", "created") &&
		    (make_lock_file(file) < 0 ||
		     give_rights(file->path, &rights) < 0))
			cannot(queue, "create", file->path);
	} else if ((it.st_mode & S_IFMT) != file->type) {
		leave(queue, file->path, "is of another kind");
	} else if (it.st_nlink > rights.names) {
		leave(queue, file->path, has_another_name);
	} else {
		check_size(queue, file, it.st_size);
		check_rights(queue, file->path, &rights);
	}
}

/* tcpto is a table, whose programs do not make it longer. */
static void check_lock_files(struct queue *queue)
{
	const struct owners *owners = &queue->owners;
	const struct lock_file files[] = {
		{ sendmutex, S_IFREG, 0, owners->send, 0600 },
		{ "lock/trigger", S_IFIFO, 0, owners->send, 0622 },
		{ "lock/tcpto", S_IFREG, TCPTO_BYTES, owners->remote, 0644 },
	};

	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		check_lock_file(queue, &files[i]);
}

/* With -n nothing is held, not even for a moment: a qmail-send that starts in it
   would give up. The descriptor stays open until we are gone. */
static void take_lock(struct queue *queue)
{
	int fd;

	if (queue->dry) return;
	fd = open_lock_file(sendmutex);
	if (fd < 0) {
		cannot(queue, "open", sendmutex);
		return;
	}
	queue->is_ours = flock(fd, LOCK_EX | LOCK_NB) == 0;
}

/* ---- what nobody knows ---- */

static bool is_known(const char *name)
{
	static const char *const known[] = {
		".",    "..",    "pid",    "mess",   "intd", "todo",
		"info", "local", "remote", "bounce", "lock", "lost+found",
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(name, known[i]) == 0) return true;
	return false;
}

static void look_for_others(struct queue *queue)
{
	DIR *list = inside_list(".");
	const struct dirent *entry;

	while (list && (entry = readdir(list))) {
		char shown[256];

		if (is_known(entry->d_name)) continue;
		leave(queue, printable_text(shown, sizeof shown, entry->d_name),
		      "is unknown");
	}
	if (list) closedir(list);
}

static void clean_pid(struct queue *queue)
{
	DIR *list = inside_list("pid");
	const struct dirent *entry;
	time_t now = time(NULL);

	while (list && (entry = readdir(list))) {
		char path[sizeof "pid/" + NAME_MAX];
		struct stat it;

		/* Other names are not qmail-queue's, and are not shown raw. */
		if (strspn(entry->d_name, "0123456789.") !=
		    strlen(entry->d_name))
			continue;
		snprintf(path, sizeof path, "pid/%s", entry->d_name);
		if (inside_look(path, &it) < 0 || S_ISDIR(it.st_mode) ||
		    now < it.st_atime + OSSIFIED)
			continue;
		if (repair(queue, path, "is left over", "removed") &&
		    inside_remove(path) < 0)
			cannot(queue, "remove", path);
	}
	if (list) closedir(list);
}

bool check_layout(struct queue *queue)
{
	struct stat it;

	if (stat(".", &it) < 0) die_temporary("cannot look at the queue:");
	queue->device = it.st_dev;
	if (!queue->is_new && is_empty(".")) {
		if (!repair(queue, ".", "is empty", "made a queue"))
			return false;
		queue->is_new = true;
	}
	if (!queue->is_new && !is_a_queue()) {
		leave(queue, ".", "is no queue, and not empty");
		return false;
	}
	if (!find_split(queue) || !find_split_of_todo(queue)) return false;
	look_for_others(queue);
	check_folders(queue);
	check_lock_files(queue);
	take_lock(queue);
	clean_pid(queue);
	queue->is_new = false;
	return true;
}
