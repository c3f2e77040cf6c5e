/* SPDX-License-Identifier: ISC */
#include "system/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/str.h"
#include "system/process.h"

enum { NO_FD = -1, KILLED_SECONDS = 5 };

/* Ours, and the helper's. */
struct ends {
	int near;
	int far;
};

struct plumbing {
	struct ends input;
	struct ends output;
	struct ends talk;
};

static const struct ends no_ends = { NO_FD, NO_FD };

static void close_fd(int *fd)
{
	int cause = errno;

	if (*fd != NO_FD) close(*fd);
	*fd = NO_FD;
	errno = cause;
}

static void close_all(struct plumbing *plumbing)
{
	close_fd(&plumbing->input.near);
	close_fd(&plumbing->input.far);
	close_fd(&plumbing->output.near);
	close_fd(&plumbing->output.far);
	close_fd(&plumbing->talk.near);
	close_fd(&plumbing->talk.far);
}

static int open_plumbing(struct plumbing *plumbing,
			 const struct helper_plan *plan)
{
	int fds[2];

	*plumbing = (struct plumbing){ no_ends, no_ends, no_ends };
	if (plan->input_fd) {
		if (pipe2(fds, O_CLOEXEC) < 0) return -1;
		plumbing->input =
			(struct ends){ .near = fds[1], .far = fds[0] };
	}
	if (plan->output_fd) {
		if (pipe2(fds, O_CLOEXEC) < 0) return -1;
		plumbing->output =
			(struct ends){ .near = fds[0], .far = fds[1] };
	}
	if (plan->talk_fd) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
			return -1;
		plumbing->talk = (struct ends){ .near = fds[0], .far = fds[1] };
	}
	return 0;
}

/* ---- the words ---- */

static bool has_name_of(const char *variable, const char *other)
{
	size_t length = strcspn(other, "=") + 1;

	return strncmp(variable, other, length) == 0;
}

static bool is_replaced(const char *variable, const char *const *variables)
{
	for (; *variables; variables++)
		if (has_name_of(variable, *variables)) return true;
	return false;
}

static size_t count_of(const char *const *words)
{
	size_t count = 0;

	while (words[count]) count++;
	return count;
}

/* What execve takes: no byte of it is changed. Its memory is the caller's to
   free; NULL where there is none. */
struct words {
	char **arguments;
	char **environment;
};

static int make_words(struct words *words, const struct helper_plan *plan)
{
	static const char *const none[] = { NULL };
	const char *const *variables = plan->variables ? plan->variables : none;
	size_t arguments = count_of(plan->arguments), kept = 0;
	size_t inherited = 0;

	while (environ[inherited]) inherited++;
	words->environment =
		calloc(inherited + count_of(variables) + 1, sizeof(char *));
	words->arguments = calloc(arguments + 1, sizeof(char *));
	if (!words->environment || !words->arguments) return -1;
	memcpy(words->arguments, plan->arguments, arguments * sizeof(char *));
	for (size_t i = 0; i < inherited; i++)
		if (!is_replaced(environ[i], variables))
			words->environment[kept++] = environ[i];
	memcpy(words->environment + kept, variables,
	       count_of(variables) * sizeof(char *));
	return 0;
}

static void free_words(struct words *words)
{
	int cause = errno;

	free(words->arguments);
	free(words->environment);
	errno = cause;
}

/* ---- the child ---- */

/* It shares our memory until it execs. The descriptors of the plumbing are above
   those that they are to get: open_beyond saw to it. */
static int arrange(const struct plumbing *plumbing,
		   const struct helper_plan *plan, int nothing)
{
	if (dup2(nothing, STDIN_FILENO) < 0) return -1;
	if (dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return -1;
	if (plan->input_fd && dup2(plumbing->input.far, plan->input_fd) < 0)
		return -1;
	if (plan->output_fd && dup2(plumbing->output.far, plan->output_fd) < 0)
		return -1;
	if (plan->talk_fd && dup2(plumbing->talk.far, plan->talk_fd) < 0)
		return -1;
	return 0;
}

static int move_beyond(int *fd, int beyond)
{
	int moved;

	if (*fd == NO_FD || *fd > beyond) return 0;
	moved = fcntl(*fd, F_DUPFD_CLOEXEC, beyond + 1);
	if (moved < 0) return -1;
	close(*fd);
	*fd = moved;
	return 0;
}

static int larger(int a, int b)
{
	return a > b ? a : b;
}

/* One far end must not lie where another one is to go. */
static int open_beyond(struct plumbing *plumbing,
		       const struct helper_plan *plan, int *nothing)
{
	int beyond = larger(larger(plan->input_fd, plan->output_fd),
			    larger(plan->talk_fd, STDERR_FILENO));

	if (move_beyond(&plumbing->input.far, beyond) < 0 ||
	    move_beyond(&plumbing->output.far, beyond) < 0 ||
	    move_beyond(&plumbing->talk.far, beyond) < 0)
		return -1;
	*nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return *nothing < 0 ? -1 : move_beyond(nothing, beyond);
}

/* What the child needs. */
struct launch {
	const struct helper_plan *plan;
	struct plumbing plumbing;
	struct words words;
	int nothing;
};

static int spawn(struct helper *helper, const struct launch *launch,
		 const char *program)
{
	volatile int exec_error = 0;
	const char *path = getenv("PATH");

	helper->pid = vfork();
	if (helper->pid == 0) {
		process_lift_memory_limits();
		if (arrange(&launch->plumbing, launch->plan, launch->nothing) ==
		    0)
			process_exec_as(program, launch->words.arguments,
					launch->words.environment, path);
		exec_error = errno;
		_exit(EXIT_TRY_AGAIN);
	}
	if (helper->pid < 0) return -1;
	if (!exec_error) return 0;
	process_wait(helper->pid, DEADLINE_NEVER, &(int){ 0 });
	errno = exec_error;
	return -1;
}

/* EACCES may be that of any folder in $PATH: root's, for one, which a server that
   has become somebody else still has. */
static int spawn_found(struct helper *helper, const struct launch *launch)
{
	const char *name = launch->plan->arguments[0];
	struct str beside = { 0 };
	int result = spawn(helper, launch, name), cause = errno;

	if (result == 0 || (cause != ENOENT && cause != EACCES)) return result;
	if (process_beside(&beside, name) == 0)
		result = spawn(helper, launch, beside.data);
	if (result < 0 && errno == ENOENT) errno = cause;
	str_free(&beside);
	return result;
}

int helper_start(struct helper *helper, const struct helper_plan *plan)
{
	struct launch launch = { .plan = plan, .nothing = NO_FD };
	struct plumbing *plumbing = &launch.plumbing;
	int result = -1;

	if (plan->input_length > HELPER_INPUT_LIMIT) {
		errno = EMSGSIZE;
		return -1;
	}
	if (open_plumbing(plumbing, plan) == 0 &&
	    open_beyond(plumbing, plan, &launch.nothing) == 0 &&
	    make_words(&launch.words, plan) == 0)
		result = spawn_found(helper, &launch);
	if (result == 0) {
		helper->end = deadline_in(plan->seconds);
		helper->output = plumbing->output.near;
		helper->talk = plumbing->talk.near;
		plumbing->output.near = plumbing->talk.near = NO_FD;
		/* One that does not read it need not have it. */
		if (plan->input_fd)
			(void)!write(plumbing->input.near, plan->input,
				     plan->input_length);
	}
	close_all(plumbing);
	close_fd(&launch.nothing);
	free_words(&launch.words);
	return result;
}

/* ---- its end ---- */

static enum helper_ending await(struct helper *helper,
				struct process_output *output, int *status)
{
	if (process_wait_reading(helper->pid, helper->output, helper->end,
				 output, status) == 0)
		return WIFEXITED(*status) ? HELPER_EXITED : HELPER_CRASHED;
	if (errno != ETIMEDOUT) return HELPER_LOST;
	kill(helper->pid, SIGKILL);
	process_wait(helper->pid, deadline_in(KILLED_SECONDS), status);
	return HELPER_TIMED_OUT;
}

void helper_finish(struct helper *helper, struct helper_answer *answer)
{
	struct process_output output = {
		.bytes = answer->output,
		.size = answer->size ? answer->size - 1 : 0,
	};
	int status = 0;

	close_fd(&helper->talk);
	answer->ending = await(helper, &output, &status);
	close_fd(&helper->output);
	answer->exit_code =
		answer->ending == HELPER_EXITED ? WEXITSTATUS(status) : -1;
	answer->length = output.length;
	if (answer->size) answer->output[output.length] = '\0';
}
