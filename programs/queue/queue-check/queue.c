/* SPDX-License-Identifier: ISC */
#include "queue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/message.h"
#include "inside.h"
#include "system/file.h"

/* ---- what is said ---- */

bool repair(struct queue *queue, const char *path, const char *wrong,
	    const char *done)
{
	if (!queue->is_new)
		printf("%s: %s: %s%s\n", path, wrong,
		       queue->dry ? "would be " : "", done);
	if (queue->dry) queue->wrong++;
	else queue->changed = true;
	return !queue->dry;
}

void leave(struct queue *queue, const char *path, const char *wrong)
{
	printf("%s: %s\n", path, wrong);
	queue->wrong++;
}

void cannot(struct queue *queue, const char *what, const char *path)
{
	int cause = errno;

	fflush(stdout);
	errno = cause;
	warn("cannot %s %s:", what, path);
	queue->wrong++;
}

void sync_queue(struct queue *queue)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || syncfs(fd) < 0) cannot(queue, "sync", "the queue");
	if (fd >= 0) close(fd);
}

/* ---- whose files are whose ---- */

const char has_another_name[] = "has a name outside of the queue, too";

static bool has_name_elsewhere(const struct stat *it,
			       const struct rights *rights)
{
	return !S_ISDIR(it->st_mode) && it->st_nlink > rights->names;
}

static int give_away(int fd, const struct rights *rights)
{
	struct stat it;

	if (fstat(fd, &it) < 0) return -1;
	if (has_name_elsewhere(&it, rights)) {
		errno = EMLINK;
		return -1;
	}
	if (fchown(fd, rights->owner,
		   rights->any_group ? (gid_t)-1 : rights->group) < 0)
		return -1;
	return fchmod(fd, rights->mode);
}

int give_rights(const char *path, const struct rights *rights)
{
	int fd = inside_open(path, O_RDONLY);
	int result;

	/* Who is not root is safe from himself. */
	if (fd < 0 && errno == EACCES && getuid() != 0)
		return chmod(path, rights->mode);
	if (fd < 0) return -1;
	result = give_away(fd, rights);
	file_close(fd);
	return result;
}

void check_rights(struct queue *queue, const char *path,
		  const struct rights *wanted)
{
	struct stat it;
	char wrong[128];

	if (inside_look(path, &it) < 0)
		return; /* it has gone its way meanwhile */
	if (it.st_uid == wanted->owner &&
	    (wanted->any_group || it.st_gid == wanted->group) &&
	    (it.st_mode & 07777) == wanted->mode)
		return;
	if (has_name_elsewhere(&it, wanted)) {
		leave(queue, path, has_another_name);
		return;
	}
	snprintf(wrong, sizeof wrong,
		 "belongs to %lu:%lu with mode %04o, not to %lu:%lu with %04o",
		 (unsigned long)it.st_uid, (unsigned long)it.st_gid,
		 (unsigned)it.st_mode & 07777, (unsigned long)wanted->owner,
		 (unsigned long)(wanted->any_group ? it.st_gid : wanted->group),
		 (unsigned)wanted->mode);
	if (repair(queue, path, wrong, "changed") &&
	    give_rights(path, wanted) < 0 && errno != ENOENT)
		cannot(queue, "change the rights of", path);
}
