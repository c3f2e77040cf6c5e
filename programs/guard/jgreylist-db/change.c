/* SPDX-License-Identifier: ISC */
#include "change.h"

#include <stddef.h>
#include <time.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/str.h"
#include "notation.h"

enum { SHOWN_WORD = 256 };

static struct greylist_key read_key(const struct store *store, const char *text)
{
	struct greylist_key key;
	char shown[SHOWN_WORD];

	if (notation_read_key(text, store->greylist.unit, &key) < 0)
		die_permanent("no address, nor a network of entries: %s",
			      printable_text(shown, sizeof shown, text));
	return key;
}

static time_t read_time(const char *text)
{
	time_t time;
	char shown[SHOWN_WORD];

	if (notation_read_time(text, &time) < 0)
		die_permanent("no time: %s",
			      printable_text(shown, sizeof shown, text));
	return time;
}

static void check_keys(const struct store *store, char **clients)
{
	for (; *clients; clients++) read_key(store, *clients);
}

static int make_known(struct store *store, const struct greylist_key *key)
{
	time_t now = time(NULL);
	struct greylist_entry entry = {
		.first = now - (time_t)store->greylist.hold_seconds - 1,
		.last = now,
	};
	struct greylist_entry old;
	int found = store_find(store, key, &old);

	if (found < 0) return -1;
	if (found && old.first < entry.first) entry.first = old.first;
	return store_set(store, key, &entry);
}

int change_to_known(struct store *store, char **clients)
{
	int code = EXIT_DONE;

	check_keys(store, clients);
	for (; *clients; clients++) {
		struct greylist_key key = read_key(store, *clients);

		if (make_known(store, &key) < 0) code = EXIT_TRY_AGAIN;
	}
	return code;
}

int change_to_unknown(struct store *store, char **clients)
{
	int code = EXIT_DONE;

	check_keys(store, clients);
	for (; *clients; clients++) {
		struct greylist_key key = read_key(store, *clients);
		char network[NOTATION_NETWORK];
		int result = store_forget(store, &key);

		if (result < 0) code = EXIT_TRY_AGAIN;
		if (result != 0) continue;
		warn("no entry: %s", notation_of_key(&key, network));
		if (code == EXIT_DONE) code = WAS_ABSENT;
	}
	return code;
}

static void check_entries(const struct store *store, char **words)
{
	for (; *words; words += WORDS_OF_ENTRY) {
		read_key(store, words[0]);
		read_time(words[1]);
		read_time(words[2]);
	}
}

int change_entries(struct store *store, char **words)
{
	int code = EXIT_DONE;

	check_entries(store, words);
	for (; *words; words += WORDS_OF_ENTRY) {
		struct greylist_key key = read_key(store, words[0]);
		struct greylist_entry entry = { .first = read_time(words[1]),
						.last = read_time(words[2]) };

		if (store_set(store, &key, &entry) < 0) code = EXIT_TRY_AGAIN;
	}
	return code;
}
