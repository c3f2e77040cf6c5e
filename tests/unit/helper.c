/* SPDX-License-Identifier: ISC */
#include "system/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tap.h"

enum { BESIDE = 9 };

static char output[16];
static struct helper_answer answer;

static void run(const struct helper_plan *plan)
{
	struct helper helper;

	answer = (struct helper_answer){ .output = output,
					 .size = sizeof output };
	if (ok(helper_start(&helper, plan) == 0, "it starts"))
		helper_finish(&helper, &answer);
}

/* A part of what it may be at most, so that nobody dies of it. */
static void set_soft_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_STACK, &limit);
	limit.rlim_cur = 1024UL * 1024 * 4;
	if (limit.rlim_max < limit.rlim_cur) limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_STACK, &limit);
}

#define SHELL(text) ((const char *[]){ "/bin/sh", "-c", (text), NULL })

/* Our own file is what lies beside us; in $PATH is a thing of its name that may
   not be run. */
static void find_beside(void)
{
	char folder[] = "/tmp/helper.XXXXXX", path[64];
	int fd;

	ok(mkdtemp(folder) != NULL, "a folder");
	snprintf(path, sizeof path, "%s/helper", folder);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	ok(fd >= 0, "a file in it");
	close(fd);
	setenv("PATH", folder, 1);
	run(&(struct helper_plan){
		.arguments = (const char *[]){ "helper", "beside", NULL },
		.seconds = 20,
	});
	ok(answer.exit_code == BESIDE, "a program beside our own");
	unlink(path);
	rmdir(folder);
}

int main(int argc, char **argv)
{
	struct helper helper;

	(void)argv;
	if (argc > 1) return BESIDE;
	signal(SIGPIPE, SIG_IGN);
	setenv("KEPT", "kept", 1);
	setenv("NAME", "old", 1);

	run(&(struct helper_plan){
		.arguments = SHELL("read a <&3; echo $a $KEPT $NAME; exit 7"),
		.variables = (const char *[]){ "NAME=new", NULL },
		.input_fd = 3,
		.input = "in\nmore",
		.input_length = 7,
		.output_fd = 1,
		.seconds = 20,
	});
	ok(strcmp(output, "in kept new\n") == 0, "input, variables, output");
	ok(answer.ending == HELPER_EXITED && answer.exit_code == 7,
	   "exit code");

	run(&(struct helper_plan){
		.arguments = SHELL("cat; echo '# not said'; echo 4 >&4"),
		.output_fd = 4,
		.seconds = 20,
	});
	ok(strcmp(output, "4\n") == 0, "another descriptor, and nothing on 0");

	run(&(struct helper_plan){
		.arguments = SHELL("echo 123456789012345678901234567890"),
		.output_fd = 1,
		.seconds = 20,
	});
	ok(strcmp(output, "123456789012345") == 0,
	   "no more than there is room");

	run(&(struct helper_plan){
		.arguments = SHELL("echo first; exec sleep 100"),
		.output_fd = 1,
		.seconds = 1,
	});
	ok(answer.ending == HELPER_TIMED_OUT && answer.exit_code == -1, "late");
	ok(strcmp(output, "first\n") == 0, "what it said before is kept");

	set_soft_limit();
	run(&(struct helper_plan){
		.arguments = SHELL("[ $(ulimit -S -s) = $(ulimit -H -s) ]"),
		.seconds = 20,
	});
	ok(answer.exit_code == 0, "a soft limit of memory is not its own");

	run(&(struct helper_plan){
		.arguments = SHELL("kill -9 $$"),
		.seconds = 20,
	});
	ok(answer.ending == HELPER_CRASHED, "a crash");

	run(&(struct helper_plan){
		.arguments = SHELL("sleep 30 & echo $! >&4"),
		.output_fd = 4,
		.seconds = 20,
	});
	ok(answer.ending == HELPER_EXITED,
	   "what it leaves behind is not waited for");
	kill((pid_t)atoi(output), SIGTERM);

	find_beside();
	setenv("PATH", "/bin:/usr/bin", 1);
	ok(helper_start(
		   &helper,
		   &(struct helper_plan){
			   .arguments = (const char *[]){ "no-such", NULL },
			   .seconds = 20,
		   }) < 0 &&
		   errno == ENOENT,
	   "a program that is not there");

	ok(helper_start(&helper,
			&(struct helper_plan){
				.arguments = SHELL("read a <&3;"
						   "echo $a$a >&3"),
				.talk_fd = 3,
				.seconds = 20,
			}) == 0,
	   "a talk");
	ok(write(helper.talk, "ab\n", 3) == 3 &&
		   read(helper.talk, output, sizeof output) == 5 &&
		   memcmp(output, "abab\n", 5) == 0,
	   "both ways");
	helper_finish(&helper, &answer);
	ok(answer.ending == HELPER_EXITED && answer.exit_code == 0, "its end");
	return done_testing();
}
