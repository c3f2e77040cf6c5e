/* usage PROGRAM ARGUMENT...: runs it once and prints what that took: seconds,
   seconds of processor time, the most KiB of memory that it, or what it had been
   before an exec, had at a time, and how many bytes it wrote to files that are on
   a disk. What it prints goes nowhere; this fails when it does.
   SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static double seconds(const struct timeval *time)
{
	return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	double begin = now(), elapsed;
	struct rusage usage;
	int status;
	pid_t pid;

	if (argc < 2) return 100;
	pid = fork();
	if (pid < 0) return 111;
	if (pid == 0) {
		int nowhere = open("/dev/null", O_WRONLY);

		dup2(nowhere, STDOUT_FILENO);
		dup2(nowhere, STDERR_FILENO);
		execvp(argv[1], argv + 1);
		_exit(120);
	}
	if (wait4(pid, &status, 0, &usage) != pid || status != 0) return 1;
	elapsed = now() - begin;
	printf("%.6f %.6f %ld %lld\n", elapsed,
	       seconds(&usage.ru_utime) + seconds(&usage.ru_stime),
	       usage.ru_maxrss, usage.ru_oublock * 512LL);
	return 0;
}
