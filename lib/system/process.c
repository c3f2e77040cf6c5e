/* SPDX-License-Identifier: ISC */
#include "system/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/message.h"
#include "base/str.h"

static const char default_path[] = "/bin:/usr/bin";

enum {
	LOOK_AGAIN_MS = 1000,
	/* How often a child whose pipe stays open is looked at. */
	LOOK_AFTER_SECONDS = 1,
};

int process_exec_as(const char *name, char *const argv[],
		    char *const environment[], const char *path)
{
	char candidate[PATH_MAX];
	size_t name_length = strlen(name);
	int denied = 0;

	if (strchr(name, '/')) return execve(name, argv, environment);
	if (!name_length) {
		errno = ENOENT;
		return -1;
	}
	if (!path) path = default_path;
	for (;;) {
		size_t length = strcspn(path, ":");
		/* An empty entry means the current folder. */
		const char *folder = length ? path : ".";
		size_t folder_length = length ? length : 1;

		if (folder_length + name_length + 2 <= sizeof candidate) {
			memcpy(candidate, folder, folder_length);
			candidate[folder_length] = '/';
			memcpy(candidate + folder_length + 1, name,
			       name_length + 1);
			execve(candidate, argv, environment);
			if (errno == EACCES) denied = 1;
			else if (errno != ENOENT && errno != ENOTDIR) return -1;
		}
		path += length;
		if (!*path++) break;
	}
	errno = denied ? EACCES : ENOENT;
	return -1;
}

int process_exec(char *const argv[], char *const environment[],
		 const char *path)
{
	return process_exec_as(argv[0], argv, environment, path);
}

void process_run_next_as(const char *name, char *const argv[])
{
	char shown[256];

	process_exec_as(name, argv, environ, getenv("PATH"));
	die_temporary("unable to run %s:",
		      printable_text(shown, sizeof shown, name));
}

void process_run_next(char *const argv[])
{
	process_run_next_as(argv[0], argv);
}

void process_set(const char *name, const char *value)
{
	if ((value ? setenv(name, value, 1) : unsetenv(name)) < 0)
		die_temporary("unable to set %s:", name);
}

void process_pass_descriptor(const char *name, int fd)
{
	char number[sizeof "-2147483648"];

	snprintf(number, sizeof number, "%d", fd);
	if (fcntl(fd, F_SETFD, 0) < 0)
		die_temporary("unable to move descriptors:");
	process_set(name, number);
}

int process_drop_privileges(uid_t user, gid_t group, const char **what)
{
	*what = "set gid";
	if (group && (setgroups(1, &group) < 0 || setgid(group) < 0)) return -1;
	*what = "set uid";
	if (user && setuid(user) < 0) return -1;
	return 0;
}

static bool can_be_raised(struct rlimit *limit)
{
	bool soft = limit->rlim_cur != limit->rlim_max;

	limit->rlim_cur = limit->rlim_max;
	return soft;
}

/* None of these can fail. The kinds are numbers in one libc and names in the
   other, so they are in no list. */
void process_lift_memory_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_AS, &limit) == 0 && can_be_raised(&limit))
		(void)setrlimit(RLIMIT_AS, &limit);
	if (getrlimit(RLIMIT_DATA, &limit) == 0 && can_be_raised(&limit))
		(void)setrlimit(RLIMIT_DATA, &limit);
	if (getrlimit(RLIMIT_STACK, &limit) == 0 && can_be_raised(&limit))
		(void)setrlimit(RLIMIT_STACK, &limit);
}

/* SIGCHLD says when, and must be blocked: no child can end unseen between the
   question and the wait. Where it does not come (somebody has it ignored) the
   child is looked at after a while. */
static void wait_for_end(const sigset_t *endings, deadline end)
{
	int left = deadline_left(end);
	int wait = left < 0 || left > LOOK_AGAIN_MS ? LOOK_AGAIN_MS : left;
	struct timespec most = {
		.tv_sec = wait / 1000,
		.tv_nsec = wait % 1000 * 1000000L,
	};

	sigtimedwait(endings, NULL, &most);
}

int process_wait(pid_t child, deadline end, int *status)
{
	sigset_t endings, before;
	pid_t reaped;
	int cause;

	sigemptyset(&endings);
	sigaddset(&endings, SIGCHLD);
	sigprocmask(SIG_BLOCK, &endings, &before);
	for (;;) {
		reaped = waitpid(child, status, WNOHANG);
		if (reaped == child || (reaped < 0 && errno != EINTR)) break;
		if (deadline_left(end) == 0) {
			errno = ETIMEDOUT;
			break;
		}
		wait_for_end(&endings, end);
	}
	cause = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = cause;
	return reaped == child ? 0 : -1;
}

/* One read of what the child says: false at its end. */
static bool read_more(int fd, struct process_output *output)
{
	char surplus[256];
	size_t room = output->size - output->length;
	ssize_t n = room ? read(fd, output->bytes + output->length, room)
			 : read(fd, surplus, sizeof surplus);

	if (n > 0 && room) output->length += (size_t)n;
	return n > 0 || (n < 0 && errno == EINTR);
}

void process_read_what_is_there(int fd, struct process_output *output)
{
	while (output->length < output->size &&
	       deadline_wait(fd, POLLIN, deadline_in(0)) > 0)
		if (!read_more(fd, output)) return;
}

int process_wait_reading(pid_t child, int fd, deadline end,
			 struct process_output *output, int *status)
{
	if (fd < 0) return process_wait(child, end, status);
	do {
		deadline look = deadline_in(LOOK_AFTER_SECONDS);
		int ready;

		if (end != DEADLINE_NEVER && end < look) look = end;
		ready = deadline_wait(fd, POLLIN, look);
		if (ready < 0) break;
		if (ready > 0 && !read_more(fd, output)) break;
		if (ready == 0 &&
		    process_wait(child, deadline_in(0), status) == 0) {
			process_read_what_is_there(fd, output);
			return 0;
		}
	} while (deadline_left(end) != 0);
	return process_wait(child, end, status);
}

int process_beside(struct str *path, const char *name)
{
	char own[PATH_MAX];
	ssize_t length = -1;

	str_clear(path);
	if (!strchr(name, '/'))
		length = readlink("/proc/self/exe", own, sizeof own);
	while (length > 0 && own[length - 1] != '/') length--;
	if (length <= 0) return -1;
	str_append(path, own, (size_t)length);
	str_append_text(path, name);
	return 0;
}
