/* qmail-queue: the end of the chain that stores a message on disk, as qmail's own
   program does and where qmail-send looks for it: queue/ under the home, or
   $QUEUEDIR. When it exits 0, the message is there after a power cut.
   The surprise: until the last link nothing has a name that counts. Message and
   envelope are born without one, where the file system can do that; whatever
   ends this process, the most it leaves is a mess/N that no todo/N asks for.

   Descriptor 0 is the message, 1 the envelope, to read. N is the inode of the
   message's file, mess/N%split/N that file. Exit codes: qmail-queue(8).
   SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/message.h"
#include "base/parse.h"
#include "mail/header.h"
#include "mail/stage.h"
#include "system/clock.h"
#include "system/colon_file.h"
#include "system/file.h"

enum {
	NAME_ROOM = 64, /* the longest: mess/, two numbers of 20 digits */
	/* Files that are tried, when names of theirs are taken. */
	BIRTHS = 100,
	PASSWD_LIMIT = 1024 * 1024,
	LARGEST_SPLIT = 1000000,
	JOURNAL_TASK_LIMIT = 64,
	EXT4_MAGIC = 0xEF53, /* and of ext3 */
};

/* A file on its way to its name. */
struct file {
	int fd;
	char early_name[NAME_ROOM]; /* in pid/ or intd/; "": it has none */
	char name[NAME_ROOM];
	bool is_linked;
};

struct job {
	struct stage stage;
	unsigned long split;
	bool split_todo; /* the patch big-todo: todo/ and intd/ are split, too */
	unsigned long pid;
	time_t now;
	unsigned long id;
	dev_t device;
	struct str head; /* our line on top */
	struct file message;
	struct file envelope;
};

/* ---- giving up ---- */

static void take_back(struct file *file)
{
	if (file->is_linked) unlink(file->name);
	if (*file->early_name) unlink(file->early_name);
}

/* The message stays when todo/N was there for a moment: qmail-send may have seen
   it, and if not, removes what nobody asks for after 36 hours. */
static _Noreturn void give_up(struct job *job, enum queue_exit_code code)
{
	bool was_visible = job->envelope.is_linked;

	take_back(&job->envelope);
	if (!was_visible) take_back(&job->message);
	_exit((int)code);
}

static _Noreturn void fail(struct job *job, enum queue_exit_code code,
			   const char *what, const char *name)
{
	note("fatal: cannot %s %s:", what, name);
	give_up(job, code);
}

static void crash(int signal_number)
{
	(void)signal_number;
	_exit(QUEUE_CRASHED);
}

static void catch_bugs(void)
{
	static const int bugs[] = { SIGILL, SIGABRT, SIGFPE,
				    SIGBUS, SIGSEGV, SIGSYS };
	struct sigaction action = { .sa_handler = crash };

	for (size_t i = 0; i < sizeof bugs / sizeof *bugs; i++)
		sigaction(bugs[i], &action, NULL);
}

/* ---- the queue ---- */

/* Set-user-id: what is in the environment is the user's, not ours. */
static bool has_other_rights(void)
{
	return getauxval(AT_SECURE) != 0;
}

static void enter_queue(struct job *job)
{
	const char *folder = has_other_rights() ? NULL : getenv("QUEUEDIR");
	bool is_usual = !folder || !*folder;
	int cause;

	if (is_usual) folder = CHAINMAIL_HOME "/queue";
	if (chdir(folder) == 0) return;
	cause = errno;
	if (is_usual && chdir(CHAINMAIL_HOME) < 0)
		fail(job, QUEUE_NO_HOME, "enter", CHAINMAIL_HOME);
	errno = cause;
	fail(job, QUEUE_NO_QUEUE, "enter", folder);
}

static bool is_folder(const char *path)
{
	struct stat it;

	return stat(path, &it) == 0 && S_ISDIR(it.st_mode);
}

static bool mess_has(unsigned long number)
{
	char name[NAME_ROOM];

	snprintf(name, sizeof name, "mess/%lu", number);
	return is_folder(name);
}

/* The largest number among the folders, and one. */
static unsigned long count_folders(void)
{
	DIR *mess = opendir("mess");
	const struct dirent *entry;
	unsigned long number, split = 0;

	while (mess && (entry = readdir(mess)))
		if (parse_number(entry->d_name, 0, LARGEST_SPLIT, &number) ==
			    0 &&
		    mess_has(number) && number >= split)
			split = number + 1;
	if (mess) closedir(mess);
	return split;
}

/* conf-split is compiled into qmail; here the queue says it. A folder has a link
   for each folder in it, on most file systems; when that cannot be, or others
   are among them, they are looked at one by one. */
static void read_layout(struct job *job)
{
	struct stat mess;

	if (stat("mess", &mess) < 0) fail(job, QUEUE_NO_QUEUE, "find", "mess");
	if (mess.st_nlink > 2) job->split = mess.st_nlink - 2;
	if (!job->split || !mess_has(job->split - 1) || mess_has(job->split))
		job->split = count_folders();
	if (!job->split) {
		errno = ENOENT;
		fail(job, QUEUE_NO_QUEUE, "find", "mess/0");
	}
	job->split_todo = is_folder("todo/0");
}

/* ---- files ---- */

static void name_file(const struct job *job, char *name, const char *folder,
		      bool is_split)
{
	if (is_split)
		snprintf(name, NAME_ROOM, "%s/%lu/%lu", folder,
			 job->id % job->split, job->id);
	else snprintf(name, NAME_ROOM, "%s/%lu", folder, job->id);
}

/* A file that is gone with us. openat: musl's open would set FD_CLOEXEC once
   more by a call. */
static int open_nameless(const char *folder)
{
	return openat(AT_FDCWD, folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
}

/* EISDIR: from kernels that do not know the flag. */
static bool must_have_name(void)
{
	return errno == EOPNOTSUPP || errno == EISDIR;
}

static int open_new(const char *name)
{
	return openat(AT_FDCWD, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
		      0644);
}

static int open_in_pid(struct job *job)
{
	char *name = job->message.early_name;
	int fd = -1;

	for (unsigned number = 1; fd < 0 && number < 10; number++) {
		snprintf(name, NAME_ROOM, "pid/%lu.%lu.%u", job->pid,
			 (unsigned long)job->now, number);
		fd = open_new(name);
		if (fd < 0 && errno != EEXIST) break;
	}
	if (fd < 0) *name = '\0';
	return fd;
}

/* Whoever started us without descriptors 0 to 2 shall not get a file of the
   queue to read from. */
static void check_descriptor(struct job *job, int fd)
{
	if (fd > STDERR_FILENO) return;
	errno = EBADF;
	fail(job, QUEUE_CANNOT_READ, "read from", "a closed descriptor");
}

/* A todo/N that nobody put there for this message names other recipients: it must
   never find a mess/N. */
static bool has_stale_todo(const struct job *job)
{
	struct stat it;

	return lstat(job->envelope.name, &it) == 0 || errno != ENOENT;
}

/* An inode whose names are free. Those that are passed over stay open, so that
   none of them is given to us again. */
static void open_message(struct job *job, bool with_name)
{
	struct file *file = &job->message;
	struct stat born;

	for (int birth = 0; birth < BIRTHS; birth++) {
		file->fd = with_name ? -1 : open_nameless("mess");
		if (file->fd < 0 && (with_name || must_have_name()))
			file->fd = open_in_pid(job);
		if (file->fd < 0 || fstat(file->fd, &born) < 0)
			fail(job, QUEUE_CANNOT_BEGIN, "create a file in",
			     "mess or pid");
		check_descriptor(job, file->fd);
		job->id = born.st_ino;
		job->device = born.st_dev;
		name_file(job, file->name, "mess", true);
		name_file(job, job->envelope.name, "todo", job->split_todo);
		if (!has_stale_todo(job)) return;
		if (*file->early_name) unlink(file->early_name);
	}
	errno = EEXIST;
	fail(job, QUEUE_CANNOT_NAME_TODO, "create", job->envelope.name);
}

/* An intd/N that is there is garbage: N is ours, as the inode of a file that we
   have open. */
static void open_envelope(struct job *job)
{
	struct file *file = &job->envelope;

	file->fd = open_nameless("todo");
	if (file->fd < 0 && must_have_name()) {
		char name[NAME_ROOM];

		name_file(job, name, "intd", job->split_todo);
		file->fd = open_new(name);
		if (file->fd < 0 && errno == EEXIST && unlink(name) == 0)
			file->fd = open_new(name);
		if (file->fd >= 0) memcpy(file->early_name, name, sizeof name);
	}
	if (file->fd < 0)
		fail(job, QUEUE_CANNOT_CREATE_INTD, "create", "the envelope");
}

/* Kernels before 6.10 let only root name a descriptor's file by the descriptor;
   there its name in /proc does. */
static int link_nameless(int fd, const char *name)
{
	char path[sizeof "/proc/self/fd/-2147483648"];

	if (linkat(fd, "", AT_FDCWD, name, AT_EMPTY_PATH) == 0) return 0;
	if (errno != ENOENT && errno != EINVAL) return -1;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, AT_FDCWD, name, AT_SYMLINK_FOLLOW);
}

static int link_file(struct file *file)
{
	int result = *file->early_name ? link(file->early_name, file->name)
				       : link_nameless(file->fd, file->name);

	file->is_linked = result == 0;
	return result;
}

/* ---- the work ---- */

/* As qmail says it: by three of its users by their role, by others by number. */
static const char *role_of(unsigned long user)
{
	struct colon_file passwd = { 0 };
	const char *role = NULL;

	if (!has_other_rights() ||
	    colon_file_read(&passwd, "/etc/passwd", PASSWD_LIMIT) < 0)
		return NULL;
	while (!role && colon_file_next(&passwd)) {
		unsigned long number;

		if (parse_number(passwd.field[2], 0, UINT32_MAX, &number) < 0 ||
		    number != user)
			continue;
		if (!strcmp(passwd.field[0], "qmaild")) role = "from network";
		if (!strcmp(passwd.field[0], "qmails")) role = "for bounce";
		if (!strcmp(passwd.field[0], "alias")) role = "by alias";
	}
	colon_file_close(&passwd);
	return role;
}

static void make_head(struct job *job)
{
	unsigned long user = getauxval(AT_UID); /* no system call */
	const char *role = role_of(user);

	str_append_text(&job->head, "Received: (qmail ");
	str_append_number(&job->head, job->pid);
	str_append_text(&job->head, " invoked ");
	str_append_text(&job->head, role ? role : "by uid ");
	if (!role) str_append_number(&job->head, user);
	str_append_text(&job->head, "); ");
	header_append_date(&job->head, job->now);
	str_append_byte(&job->head, '\n');
}

static bool is_in_place(const struct job *job)
{
	return !job->stage.message.bytes &&
	       job->stage.message.fd == job->message.fd;
}

static void write_message(struct job *job)
{
	int result;

	/* A long message has been read into its file, behind the line's room. */
	if (is_in_place(job))
		result =
			pwrite(job->message.fd, job->head.data,
			       job->head.length, 0) == (ssize_t)job->head.length
				? 0
				: -1;
	else
		result = stage_message_write(&job->stage.message, &job->head,
					     job->message.fd);
	if (result < 0)
		fail(job,
		     errno == EPROTO ? QUEUE_CANNOT_READ : QUEUE_CANNOT_WRITE,
		     "write", job->message.name);
}

/* What stands on descriptor 1, without its last NUL, behind who and which. */
static void write_envelope(struct job *job)
{
	const struct stage_message records = {
		.bytes = job->stage.envelope_bytes.data,
		.size = job->stage.envelope_bytes.length - 1,
		.fd = -1,
	};
	struct str origin = { 0 };

	str_append_byte(&origin, 'u');
	str_append_number(&origin, getauxval(AT_UID));
	str_append(&origin, "\0p", 2);
	str_append_number(&origin, job->pid);
	str_append_byte(&origin, '\0');
	if (stage_message_write(&records, &origin, job->envelope.fd) < 0)
		fail(job, QUEUE_CANNOT_WRITE, "write", job->envelope.name);
	str_free(&origin);
}

/* Another file for it, with another inode; or one with a name from its birth,
   for a kernel that gives none to those without. */
static void begin_again(struct job *job, bool with_name)
{
	take_back(&job->message);
	*job->message.early_name = '\0';
	open_message(job, with_name);
	write_message(job);
}

/* mess/N may belong to somebody else: after a restore from a backup, a file has
   the name of another one's inode. */
static void name_message(struct job *job)
{
	struct file *file = &job->message;

	for (int birth = 0; link_file(file) < 0; birth++) {
		bool has_name = *file->early_name;
		bool has_no_proc = errno == ENOENT && !has_name &&
				   mess_has(job->id % job->split);

		if (birth == BIRTHS || (errno != EEXIST && !has_no_proc))
			fail(job, QUEUE_CANNOT_CREATE, "create", file->name);
		begin_again(job, has_name || has_no_proc);
	}
	if (*file->early_name && unlink(file->early_name) < 0)
		fail(job, QUEUE_CANNOT_BEGIN, "remove", file->early_name);
	*file->early_name = '\0';
}

static void sync_or_fail(struct job *job, int result, const char *name)
{
	if (result < 0) fail(job, QUEUE_CANNOT_WRITE, "sync", name);
}

/* Makes it a message. */
static void name_envelope(struct job *job)
{
	if (link_file(&job->envelope) < 0)
		fail(job, QUEUE_CANNOT_NAME_TODO, "create", job->envelope.name);
}

/* So that the sync that waits for it has less to wait for; no more than that. */
static void start_writing(const struct file *file)
{
	(void)sync_file_range(file->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

/* Waits until the bytes are with the disk, and no commit of the journal. */
static int write_out(const struct file *file)
{
	return sync_file_range(file->fd, 0, 0,
			       SYNC_FILE_RANGE_WAIT_BEFORE |
				       SYNC_FILE_RANGE_WRITE |
				       SYNC_FILE_RANGE_WAIT_AFTER);
}

/* What the queue's file system does beyond what every one has to. */
enum habit {
	HABIT_NONE,
	/* The sync of a file is one of a new name's folder, too: ext4. */
	HABIT_NAMES,
	/* And what was done first is on the disk first: with a journal. */
	HABIT_ORDER,
};

/* The rule: no todo/N before all else is on the disk. The envelope is synced behind
   its name as well: where no journal ties the two, fsck takes a file that was on
   the disk before it had a name for a deleted one. */
static void store_step_by_step(struct job *job, enum habit habit)
{
	start_writing(&job->envelope);
	sync_or_fail(job, fsync(job->message.fd), job->message.name);
	if (habit == HABIT_NONE) {
		sync_or_fail(job, fsync(job->envelope.fd), job->envelope.name);
		sync_or_fail(job, file_sync_folder_of(job->message.name),
			     "mess");
	} else {
		sync_or_fail(job, write_out(&job->envelope),
			     job->envelope.name);
	}
	name_envelope(job);
	sync_or_fail(job, fsync(job->envelope.fd), job->envelope.name);
	sync_or_fail(job, file_sync_folder_of(job->envelope.name), "todo");
}

/* The same with one commit of ext4's journal instead of two to four. What is in it
   comes to the disk in the order in which it was done, and the bytes of both files
   are there: so whatever commit has todo/N in it has, or follows, all else. The
   first sync commits that; a sync of a folder is one of everything, and one is
   enough. */
static void store_at_once(struct job *job)
{
	sync_or_fail(job, write_out(&job->envelope), job->envelope.name);
	sync_or_fail(job, write_out(&job->message), job->message.name);
	name_envelope(job);
	sync_or_fail(job, fsync(job->message.fd), job->message.name);
	sync_or_fail(job, fsync(job->envelope.fd), job->envelope.name);
	sync_or_fail(job, file_sync_folder_of(job->envelope.name), "todo");
}

/* The path of what ext4 says of the device; "" when that cannot be told. */
static void name_journal_task(char *path, size_t size, dev_t device)
{
	char link[PATH_MAX];
	const char *name;
	ssize_t length;

	snprintf(path, size, "/sys/dev/block/%u:%u", major(device),
		 minor(device));
	length = readlink(path, link, sizeof link - 1);
	*path = '\0';
	if (length <= 0) return;
	link[length] = '\0';
	name = strrchr(link, '/');
	if (name) snprintf(path, size, "/sys/fs/ext4%s/journal_task", name);
}

/* ext2 has ext4's number, and an ext4 may be made without a journal. The kernel
   says whose thread writes it, "<none>" when there is none; of what cannot be
   told, nothing is relied on. */
static enum habit find_habit(const struct job *job)
{
	char path[PATH_MAX + 32];
	struct statfs it;
	struct str task = { 0 };
	enum habit habit = HABIT_NONE;

	if (statfs(".", &it) < 0 || it.f_type != EXT4_MAGIC) return HABIT_NONE;
	name_journal_task(path, sizeof path, job->device);
	if (*path && file_read(path, &task, JOURNAL_TASK_LIMIT) == 0 &&
	    task.length > 0)
		habit = *task.data == '<' ? HABIT_NAMES : HABIT_ORDER;
	str_free(&task);
	return habit;
}

static void store(struct job *job)
{
	enum habit habit;

	write_message(job);
	start_writing(&job->message);
	name_message(job); /* before there is an intd/N, where it has a name */
	open_envelope(job);
	write_envelope(job);
	habit = find_habit(job);
	if (habit == HABIT_ORDER) store_at_once(job);
	else store_step_by_step(job, habit);
}

/* A qmail-send that is not there finds it later by itself. */
static void wake_qmail_send(void)
{
	int fd = openat(AT_FDCWD, "lock/trigger",
			O_WRONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && write(fd, "", 1) < 0) return;
}

int main(int argc, char **argv)
{
	struct job job = { 0 };
	enum queue_exit_code code;

	(void)argv;
	program_name = "qmail-queue";
	if (argc > 1) die_usage("qmail-queue");
	stage_start();
	umask(033);
	catch_bugs();
	enter_queue(&job);
	read_layout(&job);
	job.pid = (unsigned long)getpid();
	job.now = clock_seconds();
	make_head(&job);
	open_message(&job, false);
	job.stage.message_file = job.message.fd;
	job.stage.message_room = (off_t)job.head.length;
	code = stage_take(&job.stage);
	if (code != QUEUE_DONE) give_up(&job, code);
	store(&job);
	wake_qmail_send();
	return QUEUE_DONE;
}
