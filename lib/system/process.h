/* Handing on to the next program, dropping privileges, waiting for a child.
   SPDX-License-Identifier: ISC */
#ifndef SYSTEM_PROCESS_H
#define SYSTEM_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

#include "base/str.h"
#include "system/deadline.h"

/* execs argv[0], searched along `path` (a $PATH; NULL: /bin:/usr/bin) unless
   it has a slash. Comes back only with -1 and errno. Allocates nothing, so a
   vfork child may call it. */
int process_exec(char *const argv[], char *const environment[],
		 const char *path);

/* The same for the program `name`, which is told argv[0] instead. */
int process_exec_as(const char *name, char *const argv[],
		    char *const environment[], const char *path);

/* Ends the chain's stage: execs the next program with $PATH, or dies with
   "unable to run NAME: cause", 111. */
_Noreturn void process_run_next(char *const argv[]);
_Noreturn void process_run_next_as(const char *name, char *const argv[]);

/* The variable's value for the next program, which has none when it is NULL. It
   dies, 111, where there is no memory. */
void process_set(const char *name, const char *value);

/* The next program has the descriptor, and its number in the variable. */
void process_pass_descriptor(const char *name, int fd);

/* Exactly this group (and no supplementary one), then this user; 0 leaves the
   one or the other as it is. -1 with errno; `*what` names the step. */
int process_drop_privileges(uid_t user, gid_t group, const char **what);

/* Raises the soft limits of memory to the hard ones. A run script's softlimit is
   for small programs, and too little for one with large libraries. */
void process_lift_memory_limits(void);

/* Waits for the child: its wait status in `*status`. 0; -1 with ETIMEDOUT when
   the deadline passed (the child lives on), or another errno. The program must
   leave SIGCHLD alone, or it is a second late. */
int process_wait(pid_t child, deadline, int *status);

/* What a child says on a pipe; what there is no room for is read and dropped, so
   that it does not wait for us. */
struct process_output {
	char *bytes;
	size_t size;
	size_t length;
};

/* Reads from `fd` (-1: nothing is read) to its end, then waits for the child. One
   that it left behind may hold the pipe long after its end: that is not waited
   for. As process_wait. */
int process_wait_reading(pid_t child, int fd, deadline, struct process_output *,
			 int *status);

/* What a child that has ended has said, as far as nobody has read it; another
   process may hold the pipe still. */
void process_read_what_is_there(int fd, struct process_output *);

/* The path of the program `name` in the folder of our own file; -1 when `name`
   has a slash, or /proc is not there. */
int process_beside(struct str *path, const char *name);

#endif
