/* SPDX-License-Identifier: ISC */
#include "list.h"

#include <stdio.h>
#include <time.h>

/* More days than this are told as one; 36 is how long an entry is kept by
   default, but who comes back each month stays for years. */
enum { DAY = 24 * 60 * 60, MOST_DAYS = 100 };

struct listing {
	const struct store *store;
	enum notation notation;
};

static void print_entry(void *context, const struct greylist_key *key,
			const struct greylist_entry *entry)
{
	const struct listing *listing = context;
	char network[NOTATION_NETWORK];
	char first[NOTATION_TIME], last[NOTATION_TIME];

	printf("%s %s %s %s\n",
	       greylist_has_passed(entry, listing->store->greylist.hold_seconds)
		       ? "known"
		       : "grey",
	       notation_of_key(key, network),
	       notation_of_time(entry->first, listing->notation, first),
	       notation_of_time(entry->last, listing->notation, last));
}

int list_entries(struct store *store, enum notation notation)
{
	struct listing listing = { store, notation };

	return store_list(store, print_entry, &listing);
}

static void print_command(void *context, const struct greylist_key *key,
			  const struct greylist_entry *entry)
{
	char network[NOTATION_NETWORK];
	char first[NOTATION_TIME], last[NOTATION_TIME];

	(void)context;
	printf("jgreylist-db -s %s %s %s\n", notation_of_key(key, network),
	       notation_of_time(entry->first, TAI64N, first),
	       notation_of_time(entry->last, TAI64N, last));
}

int list_commands(struct store *store)
{
	return store_list(store, print_command, NULL);
}

struct count {
	unsigned long grey;    /* the hold time is not over */
	unsigned long waiting; /* it is, and nobody came */
	unsigned long known;
};

/* day[0] is today, day[MOST_DAYS - 1] and all before it are one. */
struct counting {
	const struct store *store;
	time_t now;
	long today;
	struct count all, future, day[MOST_DAYS];
};

/* Which day it was here, counted from 1970. */
static long local_day(time_t time)
{
	struct tm local;

	if (!localtime_r(&time, &local)) return 0;
	local.tm_hour = local.tm_min = local.tm_sec = 0;
	return (long)(timegm(&local) / DAY);
}

static void count_into(struct count *count, const struct counting *counting,
		       const struct greylist_entry *entry)
{
	unsigned long hold = counting->store->greylist.hold_seconds;

	if (greylist_has_passed(entry, hold)) count->known++;
	else if (greylist_state(entry->first, hold, counting->now) ==
		 GREYLIST_KNOWN)
		count->waiting++;
	else count->grey++;
}

static void count_entry(void *context, const struct greylist_key *key,
			const struct greylist_entry *entry)
{
	struct counting *counting = context;
	long ago = counting->today - local_day(entry->first);

	(void)key;
	count_into(&counting->all, counting, entry);
	if (ago >= MOST_DAYS) ago = MOST_DAYS - 1;
	count_into(ago < 0 ? &counting->future : &counting->day[ago], counting,
		   entry);
}

static void print_day(const char *before, long day, const struct count *count)
{
	time_t time = (time_t)day * DAY;
	char text[NOTATION_TIME] = "";
	struct tm date;

	if (count->grey + count->waiting + count->known == 0) return;
	if (gmtime_r(&time, &date))
		strftime(text, sizeof text, "%Y-%m-%d", &date);
	printf("%s%s grey %lu waiting %lu known %lu\n", before, text,
	       count->grey, count->waiting, count->known);
}

int list_counts(struct store *store)
{
	struct counting counting = { .store = store, .now = time(NULL) };
	int result;

	counting.today = local_day(counting.now);
	result = store_list(store, count_entry, &counting);
	printf("grey %lu\n"
	       "waiting %lu\n"
	       "known %lu\n",
	       counting.all.grey, counting.all.waiting, counting.all.known);
	for (long ago = MOST_DAYS - 1; ago >= 0; ago--)
		print_day(ago == MOST_DAYS - 1 ? "until " : "",
			  counting.today - ago, &counting.day[ago]);
	print_day("after ", counting.today, &counting.future);
	return result;
}
