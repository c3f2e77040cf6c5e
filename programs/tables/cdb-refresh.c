/* cdb-refresh: has auth.cdb and validrcptto.cdb made anew, and puts each in its
   place if it differs from the old one. For cron, every minute, as root.
   The surprise: nothing is ever restarted, since each connection opens the
   tables itself; and a table that has lost most of its records is not put in
   place, for then the source is more likely broken than the users gone.
   A table is made in a folder of its own beside the old one, which nobody else
   can enter, by a program that is told `-c FILE`: ours, or older ones. Where the
   old table is stands in its CDB_REFRESH_TABLE.
   0: the tables are as they should be. 100: wrong use, or there is no table.
   111: one could not be made or put in place; the others were.
   SPDX-License-Identifier: ISC */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "base/str.h"
#include "mail/accounts.h"
#include "mail/control.h"
#include "system/deadline.h"
#include "system/file.h"
#include "system/process.h"
#include "system/replacement.h"
#include "system/table.h"

static const char usage[] = "cdb-refresh [ -fv ] [ -t seconds ] [ -q home ] "
			    "[ table.cdb program [ argument ... ] ]";

enum {
	MAKER_SECONDS = 3600,
	LONGEST = 1000000, /* seconds */
	FEW = 10,          /* records, that may go at once in any case */
	SHOWN = 512,
	AT_ONCE = 65536,
	MOST_WORDS = 64, /* of a maker */
};

static const char workshop[] = ".cdb-refresh.";

struct settings {
	unsigned long seconds;
	bool replaces_always;
	bool is_verbose;
};

struct job {
	const struct settings *settings;
	const char *table;
	char *const *maker; /* and its arguments */
	mode_t most_rights;
	char shown[SHOWN];

	/* While it is done. */
	struct str folder; /* of the table */
	int lock;
	struct str workshop;
	struct str fresh; /* the new table, in the workshop */
};

struct difference {
	unsigned long old_count;
	unsigned long new_count;
	unsigned long added;
	unsigned long changed;
	unsigned long removed;
};

/* The workshop. */

static void empty_folder(int fd)
{
	DIR *folder = fdopendir(fd);
	const struct dirent *entry;

	if (!folder) {
		close(fd);
		return;
	}
	while ((entry = readdir(folder)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			unlinkat(fd, entry->d_name, 0);
	closedir(folder);
}

static bool remove_workshop(int folder, const char *name)
{
	struct stat status;
	int fd = openat(folder, name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0) return false;
	if (fstat(fd, &status) < 0 || status.st_uid != geteuid()) {
		close(fd);
		return false;
	}
	empty_folder(fd);
	return unlinkat(folder, name, AT_REMOVEDIR) == 0;
}

/* What a run left behind that was killed: this one has the lock. */
static void remove_old_workshops(int lock)
{
	int fd = openat(lock, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	while (folder && (entry = readdir(folder)) != NULL)
		if (strncmp(entry->d_name, workshop, strlen(workshop)) == 0)
			remove_workshop(fd, entry->d_name);
	if (folder) closedir(folder);
	else if (fd >= 0) close(fd);
}

static bool fail(const struct job *job, const char *doing)
{
	warn("%s: unable to %s:", job->shown, doing);
	return false;
}

/* The lock is on the folder, and ends with the process. */
static bool lock_folder(struct job *job)
{
	const char *slash = strrchr(job->table, '/');

	str_clear(&job->folder);
	if (slash)
		str_append(&job->folder, job->table,
			   (size_t)(slash - job->table) + 1);
	else str_append_text(&job->folder, "./");
	job->lock = open(job->folder.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return job->lock >= 0 && flock(job->lock, LOCK_EX | LOCK_NB) == 0;
}

static bool open_workshop(struct job *job)
{
	struct str *path = &job->workshop;

	remove_old_workshops(job->lock);
	str_clear(path);
	str_append_text(path, job->folder.data);
	str_append_text(path, workshop);
	str_append_text(path, "XXXXXX");
	if (!mkdtemp(path->data)) return false;
	str_clear(&job->fresh);
	str_append_text(&job->fresh, path->data);
	str_append_text(&job->fresh, "/table.cdb");
	return true;
}

static void close_workshop(struct job *job)
{
	remove_workshop(job->lock, job->workshop.data + job->folder.length);
	close(job->lock);
}

/* Making the table. */

static _Noreturn void exec_maker(const struct job *job)
{
	char *argv[MOST_WORDS + 3] = { NULL };
	char option[] = "-c";
	size_t count = 0;
	int null = open("/dev/null", O_RDONLY);

	while (job->maker[count] && count < MOST_WORDS) {
		argv[count] = job->maker[count];
		count++;
	}
	argv[count++] = option;
	argv[count] = job->fresh.data;
	process_set("CDB_REFRESH_TABLE", job->table);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		die_temporary("unable to move descriptors:");
	process_run_next(argv);
}

static bool run_maker(const struct job *job)
{
	char shown[SHOWN];
	int status = 0;
	pid_t child;

	/* Or a child that cannot exec would write it once more. */
	fflush(stdout);
	child = fork();
	if (child == 0) exec_maker(job);
	if (child < 0) return fail(job, "fork");
	if (process_wait(child, deadline_in(job->settings->seconds), &status) <
	    0) {
		fail(job, "wait for its maker");
		kill(child, SIGKILL);
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			continue;
		return false;
	}
	if (status == 0) return true;
	printable_text(shown, sizeof shown, job->maker[0]);
	if (WIFEXITED(status))
		warn("%s is left as it was: %s ended with %d", job->shown,
		     shown, WEXITSTATUS(status));
	else
		warn("%s is left as it was: %s was killed by signal %d",
		     job->shown, shown, WTERMSIG(status));
	return false;
}

/* Comparing it. */

static ssize_t read_block(int fd, char *block)
{
	size_t filled = 0;

	while (filled < AT_ONCE) {
		ssize_t n = read(fd, block + filled, AT_ONCE - filled);

		if (n < 0 && errno == EINTR) continue;
		if (n < 0) return -1;
		if (n == 0) break;
		filled += (size_t)n;
	}
	return (ssize_t)filled;
}

static bool have_same_bytes(int one, int other)
{
	static char a[AT_ONCE], b[AT_ONCE];
	ssize_t n, m;

	do {
		n = read_block(one, a);
		m = read_block(other, b);
		if (n < 0 || n != m || memcmp(a, b, (size_t)n) != 0)
			return false;
	} while (n > 0);
	return true;
}

static bool is_unchanged(const struct job *job, int fresh)
{
	int old = open(job->table, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool same = old >= 0 && have_same_bytes(old, fresh);

	if (old >= 0) close(old);
	return same;
}

/* How many records there are, and how many of them the other table has not, or
   with another value. */
static int compare(struct table *table, struct table *other,
		   unsigned long *count, unsigned long *missing,
		   unsigned long *changed)
{
	struct table_record record;
	enum table_answer answer;
	const char *value;
	size_t length;
	unsigned at = 0;

	while ((answer = table_next(table, &at, &record)) == TABLE_FOUND) {
		(*count)++;
		switch (table_find(other, record.key, record.key_length, &value,
				   &length)) {
		case TABLE_FOUND:
			if (length != record.value_length ||
			    memcmp(value, record.value, length) != 0)
				(*changed)++;
			break;
		case TABLE_ABSENT: (*missing)++; break;
		case TABLE_FAILED: return -1;
		}
	}
	return answer == TABLE_FAILED ? -1 : 0;
}

/* An old table that is none counts as an empty one. -1: the new one is none. */
static int find_difference(const struct job *job, struct difference *difference)
{
	static struct table old, fresh;
	unsigned long ignored = 0;
	int result;

	*difference = (struct difference){ 0 };
	if (table_open(&fresh, job->fresh.data) < 0) return -1;
	if (table_open(&old, job->table) == 0 &&
	    compare(&old, &fresh, &difference->old_count, &difference->removed,
		    &ignored) == 0) {
		result = compare(&fresh, &old, &difference->new_count,
				 &difference->added, &difference->changed);
	} else {
		result = compare(&fresh, &fresh, &difference->new_count,
				 &ignored, &ignored);
		difference->added = difference->new_count;
	}
	table_close(&old);
	table_close(&fresh);
	return result;
}

static bool has_lost_most(const struct difference *difference)
{
	if (difference->new_count == 0) return difference->old_count > 0;
	return difference->removed > FEW &&
	       difference->new_count < difference->old_count / 2;
}

/* Putting it in place. */

static bool put_in_place(const struct job *job, int fresh)
{
	const struct replacement_rights rights = { .most = job->most_rights };

	if (replacement_give_rights(fresh, job->table, &rights) < 0)
		return fail(job, "give the new one its rights");
	if (fsync(fresh) < 0) return fail(job, "flush the new one");
	if (rename(job->fresh.data, job->table) < 0)
		return fail(job, "put the new one in place");
	if (fsync(job->lock) < 0) return fail(job, "flush the folder");
	return true;
}

static bool replace(const struct job *job, int fresh)
{
	struct difference difference;

	if (find_difference(job, &difference) < 0)
		return fail(job, "read the new one");
	if (has_lost_most(&difference) && !job->settings->replaces_always) {
		warn("%s is left as it was: of %lu records %lu would be left "
		     "(-f does it)",
		     job->shown, difference.old_count, difference.new_count);
		return false;
	}
	if (!put_in_place(job, fresh)) return false;
	if (job->settings->is_verbose)
		printf("%s: %lu added, %lu changed, %lu removed\n", job->shown,
		       difference.added, difference.changed,
		       difference.removed);
	return true;
}

static bool make_and_replace(struct job *job)
{
	bool is_well;
	int fresh;

	if (!run_maker(job)) return false;
	fresh = open(job->fresh.data, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fresh < 0) return fail(job, "open the new one");
	is_well = is_unchanged(job, fresh);
	if (!is_well) is_well = replace(job, fresh);
	else if (job->settings->is_verbose)
		printf("%s: no changes\n", job->shown);
	close(fresh);
	return is_well;
}

/* A run that takes longer than a minute meets the next one. */
static bool refresh(struct job *job)
{
	bool is_well;

	printable_text(job->shown, sizeof job->shown, job->table);
	if (!lock_folder(job)) {
		if (errno != EWOULDBLOCK) return fail(job, "lock its folder");
		close(job->lock);
		if (job->settings->is_verbose)
			printf("%s: another run is under way\n", job->shown);
		return true;
	}
	if (!open_workshop(job)) {
		close(job->lock);
		return fail(job, "make a folder beside it");
	}
	is_well = make_and_replace(job);
	close_workshop(job);
	return is_well;
}

/* The two tables. */

static const char *setting(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* What the variable says, or the program beside this one. */
static void find_maker(struct str *path, const char *variable, const char *name)
{
	char self[PATH_MAX];
	const char *said = setting(variable), *slash;
	ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);

	if (said) {
		str_append_text(path, said);
		return;
	}
	self[length < 0 ? 0 : length] = '\0';
	slash = strrchr(self, '/');
	if (slash) str_append(path, self, (size_t)(slash - self) + 1);
	str_append_text(path, name);
}

/* Those that are there: nobody who only wants the one gets the other. */
static bool refresh_usual(const struct settings *settings)
{
	static const struct {
		const char *variable, *name, *maker_variable, *maker;
		mode_t most_rights;
	} tables[] = {
		{ "VRCPTFILE", "validrcptto.cdb", "MKVRCPT", "mkvalidrcptto",
		  0644 },
		{ "AUTHFILE", "auth.cdb", "MKAUTH", "mkauth", 0640 },
	};
	bool is_well = true, has_any = false;

	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		struct str path = { 0 }, maker = { 0 };
		const char *said = setting(tables[i].variable);
		char *argv[2] = { NULL, NULL };
		static struct job job;

		job.settings = settings;
		job.most_rights = tables[i].most_rights;
		control_path(&path, tables[i].name);
		job.table = said ? said : path.data;
		if (access(job.table, F_OK) == 0) {
			has_any = true;
			find_maker(&maker, tables[i].maker_variable,
				   tables[i].maker);
			argv[0] = maker.data;
			job.maker = argv;
			if (!refresh(&job)) is_well = false;
		}
		str_free(&maker);
		str_free(&path);
	}
	if (!has_any)
		die_permanent("there is no table yet: make auth.cdb or "
			      "validrcptto.cdb once by hand");
	return is_well;
}

static struct settings read_settings(int argc, char **argv)
{
	struct settings settings = { .seconds = MAKER_SECONDS };
	const char *home = NULL;
	int letter;

	while ((letter = option_next(argc, argv, "fvt:q:", usage)) != -1) {
		switch (letter) {
		case 'f': settings.replaces_always = true; break;
		case 'v': settings.is_verbose = true; break;
		case 't':
			settings.seconds =
				option_number(letter, 1, LONGEST, usage);
			break;
		default: home = optarg; break;
		}
	}
	if (argc - optind == 1 || argc - optind > MOST_WORDS + 1)
		die_usage(usage);
	if (home) process_set("VQ", home);
	accounts_choose_home(home);
	return settings;
}

int main(int argc, char **argv)
{
	static struct job job;
	struct settings settings;
	bool is_well;

	program_name = "cdb-refresh";
	settings = read_settings(argc, argv);
	if (argc == optind) {
		is_well = refresh_usual(&settings);
	} else {
		job.settings = &settings;
		job.table = argv[optind];
		job.maker = argv + optind + 1;
		job.most_rights = 0644;
		is_well = refresh(&job);
	}
	if (fflush(stdout) != 0) die_temporary("unable to write output:");
	return is_well ? EXIT_DONE : EXIT_TRY_AGAIN;
}
