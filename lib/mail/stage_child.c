/* SPDX-License-Identifier: ISC */
#include "mail/stage_child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/parse.h"
#include "base/str.h"
#include "mail/stage.h"
#include "system/file.h"
#include "system/process.h"

enum {
	FIRST_NUMBER_OF_OURS = 10,
	/* A killed process is gone in no time, unless its disk hangs. */
	KILLED_SECONDS = 5,
};

/* Who ignores it has no children to wait for. */
static struct sigaction children_found;

int stage_child_out_of_way(int fd)
{
	int moved;

	if (fd < 0) return -1;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_NUMBER_OF_OURS);
	file_close(fd);
	return moved;
}

size_t stage_child_give_texts(struct stage_descriptor *descriptors,
			      size_t count, int ours)
{
	const char *asked = getenv("ERROR_FD");
	unsigned long number;

	descriptors[count++] = (struct stage_descriptor){ STAGE_TEXT_FD, ours };
	descriptors[count++] =
		(struct stage_descriptor){ STAGE_OLD_TEXT_FD, ours };
	if (asked &&
	    parse_number(asked, STDERR_FILENO + 1, INT_MAX, &number) == 0)
		descriptors[count++] =
			(struct stage_descriptor){ (int)number, ours };
	return count;
}

static int arrange(const struct stage_descriptor *descriptors, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct stage_descriptor *one = &descriptors[i];

		if (one->ours < 0) close(one->theirs);
		else if (dup2(one->ours, one->theirs) < 0) return -1;
	}
	return 0;
}

static pid_t spawn(const char *program, char *const *argv,
		   char *const *environment,
		   const struct stage_descriptor *descriptors, size_t count)
{
	volatile int exec_error = 0;
	const char *path = getenv("PATH");
	pid_t child = vfork();

	if (child == 0) {
		setpgid(0, 0);
		stage_restore_in_child();
		if (arrange(descriptors, count) == 0)
			process_exec_as(program, argv, environment, path);
		exec_error = errno;
		_exit(QUEUE_CANNOT_EXEC);
	}
	if (child < 0 || !exec_error) return child;
	waitpid(child, NULL, 0);
	errno = exec_error;
	return -1;
}

pid_t stage_child_start(char *const *argv, char *const *environment,
			const struct stage_descriptor *descriptors,
			size_t count)
{
	static const struct sigaction usual = { .sa_handler = SIG_DFL };
	struct str beside = { 0 };
	pid_t child;
	int cause;

	sigaction(SIGCHLD, &usual, &children_found);
	child = spawn(argv[0], argv, environment, descriptors, count);
	cause = errno;
	if (child >= 0 || (cause != ENOENT && cause != EACCES)) return child;
	if (process_beside(&beside, argv[0]) == 0)
		child = spawn(beside.data, argv, environment, descriptors,
			      count);
	if (child < 0) errno = cause;
	str_free(&beside);
	return child;
}

static struct stage_child_end end_of(int status)
{
	if (WIFEXITED(status))
		return (struct stage_child_end){ STAGE_CHILD_EXITED,
						 WEXITSTATUS(status) };
	return (struct stage_child_end){ STAGE_CHILD_CRASHED,
					 WTERMSIG(status) };
}

struct stage_child_end stage_child_wait(pid_t child, deadline end)
{
	struct stage_child_end late = { .ending = STAGE_CHILD_LATE };
	int status;
	int result = process_wait(child, end, &status);

	if (result < 0) {
		kill(-child, SIGKILL);
		process_wait(child, deadline_in(KILLED_SECONDS), &status);
	}
	sigaction(SIGCHLD, &children_found, NULL);
	return result < 0 ? late : end_of(status);
}

static int copy(const struct stage_message *message)
{
	static const struct str nothing = { 0 };
	int fd;

	if (message->bytes)
		return stage_file_with(message->bytes, message->size);
	fd = stage_file(message->size);
	if (fd < 0) return -1;
	if (stage_message_write(message, &nothing, fd) == 0 &&
	    lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	file_close(fd);
	return -1;
}

int stage_child_message(const struct stage_message *message, bool from_zero)
{
	int fd = -1;

	if (!message->bytes && !(from_zero && message->start))
		fd = stage_message_open(message);
	if (fd < 0) fd = copy(message);
	return stage_child_out_of_way(fd);
}
