/* jgreylist-clean: removes from jgreylist's folder the networks that never came
   back and those that have not been seen for long. It is run from cron, while
   mail flows. The surprise: it needs no lock, since jgreylist takes an entry
   that goes away for one that was there, and makes again a folder that does.
   Takes the folder, or $JGREYLIST_DIR, or the home's jgreylist; and
   $JGREYLIST_HOLDTIME, which tells who has come back. Only empty files and
   folders of a greylist's names are ever removed. 0 when all was read, 111 when
   something could not be read or removed, 100 for wrong use, which a folder
   that is no greylist is too.
   SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "base/str.h"
#include "mail/greylist.h"
#include "mail/greylist_walk.h"

static const char usage[] =
	"jgreylist-clean [ -nv ] [ -o seconds ] [ -k seconds ] [ folder ]";

enum {
	DAY = 24 * 60 * 60,
	RETURN_SECONDS = 2 * DAY, /* big senders come back after a day */
	KEEP_SECONDS = 36 * DAY,  /* a monthly newsletter stays known */
	MOST_SECONDS = 1000000000,
	/* jgreylist is about to put something into a new folder. */
	NEW_FOLDER_SECONDS = 60,
	MOST_COMPLAINTS = 50,
	SHOWN_FOLDER = 512,
	SHOWN_PATH = 1024,
	PROGRESS_EVERY = 200, /* milliseconds */
	PROGRESS_ENTRIES = 256,
};

struct settings {
	const char *folder;
	unsigned long hold_seconds;
	unsigned long return_seconds;
	unsigned long keep_seconds;
	bool only_says;
	bool verbose;
	bool shows_progress;
};

struct cleaning {
	const struct settings *settings;
	time_t now;
	unsigned long looked_at;
	unsigned long never_returned;
	unsigned long not_seen;
	unsigned long in_future;
	unsigned long complaints;
	bool has_failed;
	bool progress_is_shown;
	struct timespec next_progress;
};

enum verdict { KEEP, KEEP_OF_FUTURE, NEVER_RETURNED, NOT_SEEN };

/* What it says. */

static const char *const verdict_text[] = {
	[KEEP] = "",
	[KEEP_OF_FUTURE] = ": a time in the future",
	[NEVER_RETURNED] = ": never returned",
	[NOT_SEEN] = ": not seen",
};

static void wipe_progress(struct cleaning *cleaning)
{
	if (!cleaning->progress_is_shown) return;
	dprintf(STDERR_FILENO, "\r%70s\r", "");
	cleaning->progress_is_shown = false;
}

static void show_progress(struct cleaning *cleaning, const char *end)
{
	dprintf(STDERR_FILENO, "\rlooked at %lu, removed %lu%s",
		cleaning->looked_at,
		cleaning->never_returned + cleaning->not_seen, end);
	cleaning->progress_is_shown = true;
}

static void show_progress_at_times(struct cleaning *cleaning)
{
	struct timespec now;

	if (!cleaning->settings->shows_progress ||
	    cleaning->looked_at % PROGRESS_ENTRIES != 0)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec < cleaning->next_progress.tv_sec ||
	    (now.tv_sec == cleaning->next_progress.tv_sec &&
	     now.tv_nsec < cleaning->next_progress.tv_nsec))
		return;
	show_progress(cleaning, "");
	now.tv_nsec += PROGRESS_EVERY * 1000000L;
	if (now.tv_nsec >= 1000000000L) {
		now.tv_sec++;
		now.tv_nsec -= 1000000000L;
	}
	cleaning->next_progress = now;
}

/* The first ones only: a disk that has become read-only has as many reasons to
   complain as there are entries. */
static bool may_complain(struct cleaning *cleaning)
{
	wipe_progress(cleaning);
	return ++cleaning->complaints <= MOST_COMPLAINTS;
}

static const char *shown_path(char shown[SHOWN_PATH],
			      const struct cleaning *cleaning, const char *path)
{
	char folder[SHOWN_FOLDER], rest[GREYLIST_WALK_PATH];

	printable_text(folder, sizeof folder, cleaning->settings->folder);
	printable_text(rest, sizeof rest, path);
	snprintf(shown, SHOWN_PATH, *path ? "%s/%s" : "%s", folder, rest);
	return shown;
}

static void complain_of_failure(struct cleaning *cleaning, const char *doing,
				const char *path)
{
	int cause = errno;
	char shown[SHOWN_PATH];

	cleaning->has_failed = true;
	if (!may_complain(cleaning)) return;
	shown_path(shown, cleaning, path);
	errno = cause;
	warn("unable to %s %s:", doing, shown);
}

static void complain_of_strange(struct cleaning *cleaning,
				const struct greylist_walk *walk)
{
	char shown[SHOWN_PATH];

	if (!may_complain(cleaning)) return;
	warn("left alone: %s: %s", shown_path(shown, cleaning, walk->path),
	     walk->reason);
}

static const char *removes(const struct settings *settings)
{
	return settings->only_says ? "would remove" : "removed";
}

static void say_verdict(const struct cleaning *cleaning, enum verdict verdict,
			const char *path)
{
	const struct settings *settings = cleaning->settings;
	bool keeps = verdict == KEEP || verdict == KEEP_OF_FUTURE;

	if (settings->verbose || (settings->only_says && !keeps))
		printf("%s %s%s\n", keeps ? "kept" : removes(settings), path,
		       verdict_text[verdict]);
}

static void say_the_end(struct cleaning *cleaning)
{
	const struct settings *settings = cleaning->settings;
	unsigned long kept = cleaning->looked_at - cleaning->never_returned -
			     cleaning->not_seen;

	wipe_progress(cleaning);
	if (cleaning->complaints > MOST_COMPLAINTS)
		warn("%lu more were not named",
		     cleaning->complaints - MOST_COMPLAINTS);
	if (cleaning->in_future > 0)
		warn("%lu with a time in the future kept: was the clock wrong?",
		     cleaning->in_future);
	if (settings->shows_progress) show_progress(cleaning, "\n");
	if (settings->verbose)
		printf("looked at %lu, %s %lu never returned, %lu not seen, "
		       "kept %lu\n",
		       cleaning->looked_at, removes(settings),
		       cleaning->never_returned, cleaning->not_seen, kept);
}

/* The rules. */

static bool is_older(time_t then, unsigned long seconds, time_t now)
{
	return now > then && (unsigned long)(now - then) > seconds;
}

static enum verdict judge(struct cleaning *cleaning, const struct stat *status)
{
	const struct settings *settings = cleaning->settings;
	struct greylist_entry entry = { .first = status->st_mtime,
					.last = status->st_atime };
	time_t newest = entry.first > entry.last ? entry.first : entry.last;

	/* A client may have come after the clock was last looked at. */
	if (newest > cleaning->now) cleaning->now = time(NULL);
	if (newest > cleaning->now) return KEEP_OF_FUTURE;
	if (greylist_has_passed(&entry, settings->hold_seconds))
		return is_older(entry.last, settings->keep_seconds,
				cleaning->now)
			       ? NOT_SEEN
			       : KEEP;
	return is_older(entry.first, settings->return_seconds, cleaning->now)
		       ? NEVER_RETURNED
		       : KEEP;
}

/* Right before it goes, it is looked at again: the client may just have come.
   That there is a moment left is no harm, since jgreylist then has the times
   that it needs. */
static enum verdict remove_entry(struct cleaning *cleaning,
				 const struct greylist_walk *walk)
{
	struct stat status;
	enum verdict verdict;

	if (fstatat(walk->folder, walk->name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return KEEP;
	if (!S_ISREG(status.st_mode) || status.st_size > 0) return KEEP;
	verdict = judge(cleaning, &status);
	if (verdict != NEVER_RETURNED && verdict != NOT_SEEN) return verdict;
	if (cleaning->settings->only_says ||
	    unlinkat(walk->folder, walk->name, 0) == 0)
		return verdict;
	if (errno != ENOENT)
		complain_of_failure(cleaning, "remove", walk->path);
	return KEEP;
}

static void clean_entry(struct cleaning *cleaning, struct greylist_walk *walk)
{
	enum verdict verdict = judge(cleaning, &walk->status);

	if (verdict == NEVER_RETURNED || verdict == NOT_SEEN)
		verdict = remove_entry(cleaning, walk);
	cleaning->looked_at++;
	if (verdict == KEEP_OF_FUTURE) cleaning->in_future++;
	if (verdict == NEVER_RETURNED) cleaning->never_returned++;
	if (verdict == NOT_SEEN) cleaning->not_seen++;
	if (verdict == NEVER_RETURNED || verdict == NOT_SEEN)
		greylist_walk_gone(walk);
	say_verdict(cleaning, verdict, walk->path);
	show_progress_at_times(cleaning);
}

/* One that was empty from the start may be a minute old: jgreylist tries three
   times, and this way it is disturbed twice at most. */
static void clean_folder(struct cleaning *cleaning, struct greylist_walk *walk)
{
	if (!walk->was_emptied &&
	    !is_older(walk->status.st_mtime, NEW_FOLDER_SECONDS, time(NULL)))
		return;
	if (!cleaning->settings->only_says &&
	    unlinkat(walk->folder, walk->name, AT_REMOVEDIR) < 0) {
		if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOENT)
			complain_of_failure(cleaning, "remove", walk->path);
		return;
	}
	greylist_walk_gone(walk);
}

static void clean(struct cleaning *cleaning, struct greylist_walk *walk)
{
	for (;;) {
		switch (greylist_walk_next(walk)) {
		case WALK_ENTRY: clean_entry(cleaning, walk); break;
		case WALK_EMPTY_FOLDER: clean_folder(cleaning, walk); break;
		case WALK_STRANGE: complain_of_strange(cleaning, walk); break;
		case WALK_UNREADABLE:
			complain_of_failure(cleaning, "read", walk->path);
			break;
		case WALK_END: return;
		}
	}
}

/* Before anything is removed. */

static void open_walk(struct greylist_walk *walk, const char *folder)
{
	char shown[SHOWN_FOLDER];
	struct stat status, root;

	printable_text(shown, sizeof shown, folder);
	if (greylist_walk_open(walk, folder) < 0 || stat(folder, &status) < 0 ||
	    stat("/", &root) < 0)
		die_temporary("unable to open %s:", shown);
	if (status.st_dev == root.st_dev && status.st_ino == root.st_ino)
		die_permanent("%s is the root folder", shown);
}

/* Somebody may have given the wrong folder. */
static void refuse_another_folder(const char *folder)
{
	struct greylist_walk walk;
	enum greylist_walk_found found;
	char shown[SHOWN_FOLDER];
	bool has_strange = false;

	open_walk(&walk, folder);
	do {
		found = greylist_walk_next(&walk);
		has_strange = has_strange || found == WALK_STRANGE;
	} while (found != WALK_ENTRY && found != WALK_END);
	greylist_walk_close(&walk);
	if (found == WALK_END && has_strange)
		die_permanent("%s is no greylist: it has other things and no "
			      "entry",
			      printable_text(shown, sizeof shown, folder));
}

static struct settings read_settings(int argc, char **argv)
{
	const struct greylist_settings greylist =
		greylist_settings_from_environment();
	struct settings settings = {
		.folder = greylist.folder ? greylist.folder
					  : CHAINMAIL_HOME "/jgreylist",
		.hold_seconds = greylist.hold_seconds,
		.return_seconds = RETURN_SECONDS,
		.keep_seconds = KEEP_SECONDS,
	};
	int letter;

	while ((letter = option_next(argc, argv, "nvo:k:", usage)) != -1) {
		switch (letter) {
		case 'n': settings.only_says = true; break;
		case 'v': settings.verbose = true; break;
		case 'o':
			settings.return_seconds =
				option_number(letter, 0, MOST_SECONDS, usage);
			break;
		default:
			settings.keep_seconds =
				option_number(letter, 0, MOST_SECONDS, usage);
		}
	}
	if (argc - optind > 1) die_usage(usage);
	if (argc > optind) settings.folder = argv[optind];
	settings.shows_progress = isatty(STDERR_FILENO) &&
				  !((settings.verbose || settings.only_says) &&
				    isatty(STDOUT_FILENO));
	return settings;
}

int main(int argc, char **argv)
{
	struct greylist_walk walk;
	struct settings settings;
	struct cleaning cleaning = { .settings = &settings, .now = time(NULL) };

	program_name = "jgreylist-clean";
	settings = read_settings(argc, argv);
	refuse_another_folder(settings.folder);
	open_walk(&walk, settings.folder);
	clean(&cleaning, &walk);
	say_the_end(&cleaning);
	if (fflush(stdout) != 0) die_temporary("unable to write output:");
	if (ferror(stdout)) die_temporary("unable to write output");
	return cleaning.has_failed ? EXIT_TRY_AGAIN : EXIT_DONE;
}
