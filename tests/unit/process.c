/* Waiting for a child, also where no descriptor is left to wait with.
   SPDX-License-Identifier: ISC */
#include "system/process.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

enum { MUCH_LATER = 10 };

static pid_t start_child(unsigned seconds)
{
	pid_t child = fork();

	if (child != 0) return child;
	sleep(seconds);
	_exit(7);
}

static void wait_with(const char *how)
{
	pid_t child = start_child(MUCH_LATER);
	int status = 0;

	printf("# %s\n", how);
	errno = 0;
	is_number(process_wait(child, deadline_in(0), &status), -1,
		  "no time to wait");
	is_number(errno, ETIMEDOUT, "the deadline has passed");
	is_number(process_wait(child, deadline_in(1), &status), -1,
		  "a second is not enough");
	is_number(errno, ETIMEDOUT, "the deadline has passed again");
	is_number(kill(child, 0), 0, "the child lives on");
	kill(child, SIGKILL);
	is_number(process_wait(child, deadline_in(MUCH_LATER), &status), 0,
		  "it is killed");
	ok(WIFSIGNALED(status), "and that is its status");
	is_number(process_wait(child, deadline_in(0), &status), -1,
		  "it is gone");
	is_number(errno, ECHILD, "there is no such child");
	is_number(process_wait(start_child(1), DEADLINE_NEVER, &status), 0,
		  "with all the time there is");
	is_number(WEXITSTATUS(status), 7, "the exit code");
}

/* No child leaves a status behind then, and none says that it has ended. */
static void no_signal_comes(void)
{
	int status = 0;

	signal(SIGCHLD, SIG_IGN);
	errno = 0;
	is_number(
		process_wait(start_child(1), deadline_in(MUCH_LATER), &status),
		-1, "SIGCHLD is ignored");
	is_number(errno, ECHILD, "there is no status");
	signal(SIGCHLD, SIG_DFL);
}

/* What a child that has ended has written, with somebody behind it. */
static void read_the_rest(void)
{
	char bytes[4];
	struct process_output output = { .bytes = bytes, .size = sizeof bytes };
	int ends[2];

	if (pipe(ends) < 0) return;
	process_read_what_is_there(ends[0], &output);
	is_number((long long)output.length, 0, "nothing is there");
	is_number(write(ends[1], "abcdef", 6), 6,
		  "more than there is room for");
	process_read_what_is_there(ends[0], &output);
	is_bytes(bytes, output.length, "abcd", 4, "what there is room for");
}

int main(void)
{
	struct rlimit usual, few;

	wait_with("descriptors enough");
	getrlimit(RLIMIT_NOFILE, &usual);
	few = usual;
	few.rlim_cur = STDERR_FILENO + 1;
	setrlimit(RLIMIT_NOFILE, &few);
	wait_with("no descriptor left");
	setrlimit(RLIMIT_NOFILE, &usual); /* a leak checker needs some */
	no_signal_comes();
	read_the_rest();
	return done_testing();
}
