/* SPDX-License-Identifier: ISC */
#include "store.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "base/message.h"
#include "base/str.h"
#include "mail/greylist_tree.h"
#include "mail/greylist_walk.h"
#include "notation.h"

enum { SHOWN_NAME = 1024 };

struct store store_from_environment(void)
{
	struct store store = { .greylist =
				       greylist_settings_from_environment() };

	store.folder = store.greylist.folder ? store.greylist.folder
					     : CHAINMAIL_HOME "/jgreylist";
	store.is_redis = greylist_redis_from_environment(&store.redis);
	return store;
}

static int complain(const char *doing, const struct greylist_key *key,
		    const char *cause)
{
	char network[NOTATION_NETWORK];

	warn("unable to %s %s: %s", doing, notation_of_key(key, network),
	     cause);
	return -1;
}

/* The walk reads the name's spelling, and it is the only one. */
static void visit_entry(const struct greylist_walk *walk, store_visit *visit,
			void *context)
{
	const struct greylist_entry entry = { .first = walk->status.st_mtime,
					      .last = walk->status.st_atime };
	struct greylist_key key;

	if (greylist_key_of_path(walk->path, &key) == 0)
		visit(context, &key, &entry);
}

static void complain_of_path(const char *folder, const char *path)
{
	char shown_folder[SHOWN_NAME], shown_path[SHOWN_NAME];
	int cause = errno;

	printable_text(shown_folder, sizeof shown_folder, folder);
	printable_text(shown_path, sizeof shown_path, path);
	errno = cause;
	warn("unable to read %s/%s:", shown_folder, shown_path);
}

static int list_tree(const char *folder, store_visit *visit, void *context)
{
	struct greylist_walk walk;
	enum greylist_walk_found found;
	unsigned long left_out = 0;
	int result = 0;

	if (greylist_walk_open(&walk, folder) < 0) {
		complain_of_path(folder, "");
		return -1;
	}
	while ((found = greylist_walk_next(&walk)) != WALK_END) {
		if (found == WALK_ENTRY) visit_entry(&walk, visit, context);
		if (found == WALK_STRANGE) left_out++;
		if (found == WALK_UNREADABLE) {
			complain_of_path(folder, walk.path);
			result = -1;
		}
	}
	if (left_out > 0)
		warn("left out: names that are no entries: %lu", left_out);
	return result;
}

static int list_redis(struct greylist_redis *redis, store_visit *visit,
		      void *context)
{
	const char *cause;
	int result =
		greylist_redis_list(redis, time(NULL), visit, context, &cause);

	if (result < 0) warn("unable to list: redis: %s", cause);
	if (redis->skipped > 0)
		warn("left out: keys that are no entries: %lu", redis->skipped);
	return result;
}

int store_list(struct store *store, store_visit *visit, void *context)
{
	return store->is_redis ? list_redis(&store->redis, visit, context)
			       : list_tree(store->folder, visit, context);
}

static struct greylist_contact contact_of(const struct store *store,
					  const struct greylist_key *key)
{
	return (struct greylist_contact){
		.key = *key,
		.hold_seconds = store->greylist.hold_seconds,
		.now = time(NULL),
	};
}

int store_find(struct store *store, const struct greylist_key *key,
	       struct greylist_entry *entry)
{
	const struct greylist_contact contact = contact_of(store, key);
	const char *cause;
	enum greylist_state state =
		store->is_redis ? greylist_redis_look(&store->redis, &contact,
						      entry, &cause)
				: greylist_tree_look(store->folder, &contact,
						     entry, &cause);

	if (state == GREYLIST_FAILED) return complain("find", key, cause);
	return state != GREYLIST_FIRST;
}

int store_set(struct store *store, const struct greylist_key *key,
	      const struct greylist_entry *entry)
{
	const struct greylist_contact contact = contact_of(store, key);
	const char *cause;

	if (!store->is_redis) {
		if (greylist_tree_set(store->folder, key, entry) == 0) return 0;
		return complain("set", key, error_text(errno));
	}
	if (greylist_redis_set(&store->redis, &contact, entry, &cause) == 0)
		return 0;
	return complain("set", key, cause);
}

int store_forget(struct store *store, const struct greylist_key *key)
{
	const char *cause;
	int result;

	if (!store->is_redis) {
		if (greylist_tree_forget(store->folder, key) == 0) return 1;
		if (errno == ENOENT && access(store->folder, F_OK) == 0)
			return 0;
		return complain("forget", key, error_text(errno));
	}
	result = greylist_redis_forget(&store->redis, key, &cause);
	return result < 0 ? complain("forget", key, cause) : result;
}
