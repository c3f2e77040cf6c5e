/* greylist make FOLDER NETWORKS: the files of so many networks of 256 addresses,
   as jgreylist keeps them, known since yesterday.
   greylist run FOLDER NETWORKS COUNT AGE PROGRAM [ARGUMENT...]: runs PROGRAM
   COUNT times, one after the other, each for a client of another of these
   networks that was last seen AGE seconds ago; prints the microseconds of one
   run, and those of processor time.
   greylist crowd FOLDER COUNT STEP PROGRAM [ARGUMENT...]: starts COUNT of them
   at once, for clients that nobody knows, of networks STEP apart (0: all of
   one); prints the milliseconds until the last of them has ended.
   A program's input, output and messages are /dev/null.
   SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { DAY = 86400, ALL = 1 << 24 };

static char client[64], network[4096], folder[4096], path[4096];
static char *environment[] = { path, folder, client, network, NULL };
static const char *top;

/* Each number below ALL is another network, and neighbours lie far apart. */
static uint32_t scattered(uint32_t number)
{
	return number * 0x9E3779B1u % ALL;
}

static double microseconds(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

static double used(void)
{
	struct rusage usage;

	getrusage(RUSAGE_CHILDREN, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static int compare(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;

	return (first > second) - (first < second);
}

static void fail(const char *what)
{
	perror(what);
	exit(111);
}

/* The network's file, with `length` bytes of its name. */
static const char *name_of(uint32_t address, int length)
{
	static char name[16];

	snprintf(name, sizeof name, "%03u/%03u/%03u", address >> 16 & 255u,
		 address >> 8 & 255u, address & 255u);
	name[length] = '\0';
	return name;
}

static void choose_client(uint32_t address)
{
	snprintf(client, sizeof client, "TCPREMOTEIP=%u.%u.%u.7",
		 address >> 16 & 255u, address >> 8 & 255u, address & 255u);
	snprintf(network, sizeof network, "NETWORK=%s/%s", top,
		 name_of(address, 11));
}

static void make_one(int at, uint32_t address, const struct timespec *times)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL, fd;

	fd = openat(at, name_of(address, 11), flags, 0600);
	if (fd < 0 && errno == ENOENT) {
		mkdirat(at, name_of(address, 3), 0700);
		mkdirat(at, name_of(address, 7), 0700);
		fd = openat(at, name_of(address, 11), flags, 0600);
	}
	if (fd < 0 || futimens(fd, times) < 0 || close(fd) < 0) fail("make");
}

static void make(uint32_t count)
{
	struct timespec times[2] = { { time(NULL) - 3600, 0 },
				     { time(NULL) - DAY, 0 } };
	int at = open(top, O_RDONLY | O_DIRECTORY);

	if (at < 0) fail(top);
	for (uint32_t i = 0; i < count; i++) make_one(at, scattered(i), times);
}

static pid_t start(char **command)
{
	static int null = -1;
	pid_t child;

	if (null < 0) null = open("/dev/null", O_RDWR | O_CLOEXEC);
	child = vfork();
	if (child < 0) fail("vfork");
	if (child > 0) return child;
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	execve(command[0], command, environment);
	_exit(120);
}

static void finish(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) < 0 || status != 0) {
		fprintf(stderr, "%s: status %d\n", client, status);
		exit(111);
	}
}

static void run(uint32_t networks, long count, long age, char **command)
{
	double *times = calloc((size_t)count, sizeof *times), before = used();
	uint32_t first = (uint32_t)getpid() * 7919u;

	if (!times) fail("memory");
	for (long i = 0; i < count; i++) {
		struct timespec seen[2] = { { time(NULL) - age, 0 },
					    { 0, UTIME_OMIT } };
		double begin;

		choose_client(
			scattered((first + (uint32_t)i * 31u) % networks));
		if (utimensat(AT_FDCWD, strchr(network, '=') + 1, seen, 0) < 0)
			fail(network);
		begin = microseconds();
		finish(start(command));
		times[i] = microseconds() - begin;
	}
	qsort(times, (size_t)count, sizeof *times, compare);
	printf("%.1f %.1f\n", times[count / 2],
	       (used() - before) / (double)count);
}

static void crowd(long count, uint32_t step, char **command)
{
	pid_t *children = calloc((size_t)count, sizeof *children);
	uint32_t last = (uint32_t)getpid() * 7919u % (ALL / 2);
	double begin;

	if (!children) fail("memory");
	begin = microseconds();
	/* From the other end: nobody has made these. */
	for (long i = 0; i < count; i++) {
		choose_client(scattered(ALL - 1u - last - (uint32_t)i * step));
		children[i] = start(command);
	}
	for (long i = 0; i < count; i++) finish(children[i]);
	printf("%.1f\n", (microseconds() - begin) / 1000);
}

int main(int argc, char **argv)
{
	if (argc < 4) return 100;
	top = argv[2];
	snprintf(folder, sizeof folder, "JGREYLIST_DIR=%s", top);
	snprintf(path, sizeof path, "PATH=%s", getenv("PATH"));
	if (strcmp(argv[1], "make") == 0) make((uint32_t)atol(argv[3]));
	else if (strcmp(argv[1], "run") == 0 && argc > 6)
		run((uint32_t)atol(argv[3]), atol(argv[4]), atol(argv[5]),
		    argv + 6);
	else if (strcmp(argv[1], "crowd") == 0 && argc > 5)
		crowd(atol(argv[3]), (uint32_t)atol(argv[4]), argv + 5);
	else return 100;
	return 0;
}
