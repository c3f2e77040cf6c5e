/* SPDX-License-Identifier: ISC */
#include "explain.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/message.h"
#include "base/str.h"
#include "mail/greylist_tree.h"

enum { SHOWN_CLIENT = 80, SHOWN_VALUE = 1024 };

struct question {
	struct store *store;
	const char *client; /* printable */
	enum notation notation;
	struct greylist_contact contact;
};

static void say_variable(const char *name)
{
	const char *value = getenv(name);
	char shown[SHOWN_VALUE];

	if (!value) printf("%s is not set\n", name);
	else if (!*value) printf("%s is set and empty\n", name);
	else
		printf("%s is set: %s\n", name,
		       printable_text(shown, sizeof shown, value));
}

/* The line that jgreylist would log. */
static enum fate conclude(const struct question *question, const char *log,
			  enum fate fate)
{
	printf("%s: %s\n", question->client, log);
	return fate;
}

/* There is an entry. */
static void say_entry(const struct question *question,
		      const struct greylist_entry *entry)
{
	const struct greylist_contact *contact = &question->contact;
	unsigned long hold = contact->hold_seconds;
	char first[NOTATION_TIME], last[NOTATION_TIME];

	printf("first contact %s\nlast contact %s\n",
	       notation_of_time(entry->first, question->notation, first),
	       notation_of_time(entry->last, question->notation, last));
	if (greylist_state(entry->first, hold, contact->now) ==
	    GREYLIST_TOO_SOON) {
		time_t from = entry->first < contact->now ? entry->first
							  : contact->now;

		printf("hold time of %lu seconds is over in %lu\n", hold,
		       hold - (unsigned long)(contact->now - from));
	} else
		printf("hold time of %lu seconds is over, and the client %s\n",
		       hold,
		       greylist_has_passed(entry, hold) ? "has come back"
							: "never came back");
}

static enum fate conclude_state(const struct question *question,
				enum greylist_state state,
				const struct greylist_entry *entry)
{
	if (state == GREYLIST_FIRST) printf("no entry\n");
	else say_entry(question, entry);
	return conclude(question, greylist_state_text(state),
			state == GREYLIST_KNOWN ? LET_IN : GREY);
}

/* What happens to the client then is one thing; that no store could say whether
   it is known is trouble. */
static enum fate conclude_failure(const struct question *question,
				  const char *cause)
{
	printf("%s: %s: %s\n", question->client,
	       greylist_state_text(GREYLIST_FAILED), cause);
	return IN_TROUBLE;
}

/* jgreylist does not start with such a folder. That is only asked when there is
   no entry: who may read the folder may not be who can write to it. */
static bool is_unfit(const struct store *store, enum greylist_state state)
{
	char folder[SHOWN_VALUE];
	const char *complaint;

	if (state != GREYLIST_FAILED && state != GREYLIST_FIRST) return false;
	complaint = greylist_tree_complaint(store->folder);
	if (complaint)
		warn("%s %s",
		     printable_text(folder, sizeof folder, store->folder),
		     complaint);
	return complaint;
}

static enum fate ask_tree(const struct question *question)
{
	const struct store *store = question->store;
	char path[GREYLIST_PATH], folder[SHOWN_VALUE];
	struct greylist_entry entry = { 0 };
	enum greylist_state state;
	const char *cause;

	printable_text(folder, sizeof folder, store->folder);
	if (!store->greylist.folder)
		printf("JGREYLIST_DIR is not set, which jgreylist needs: "
		       "looking at %s\n",
		       folder);
	printf("file %s/%s\n", folder,
	       greylist_key_path(&question->contact.key, path));
	state = greylist_tree_look(store->folder, &question->contact, &entry,
				   &cause);
	if (is_unfit(store, state)) return IN_TROUBLE;
	if (state == GREYLIST_FAILED) return conclude_failure(question, cause);
	return conclude_state(question, state, &entry);
}

static enum fate ask_store(const struct question *question)
{
	struct store *store = question->store;
	struct greylist_entry entry = { 0 };
	char network[NOTATION_NETWORK], shown[SHOWN_VALUE];
	enum greylist_state state;
	const char *cause;

	printf("entry for %s\n",
	       notation_of_key(&question->contact.key, network));
	if (!store->is_redis) return ask_tree(question);

	printf("redis %s\n",
	       printable_text(shown, sizeof shown, store->redis.link.address));
	state = greylist_redis_look(&store->redis, &question->contact, &entry,
				    &cause);
	if (state != GREYLIST_FAILED)
		return conclude_state(question, state, &entry);
	printf("redis: %s\n", cause);
	if (store->greylist.folder) return ask_tree(question);
	return conclude_failure(question, "there is no JGREYLIST_DIR");
}

/* Those that the rule looked at, and what it found. */
static void say_variables(enum greylist_rule rule)
{
	say_variable("JGREYLIST");
	if (rule < GREYLIST_RELAY_CLIENT) return;
	say_variable("RELAYCLIENT");
	if (rule < GREYLIST_NO_REVERSE_NAME) return;
	say_variable("JGREYLIST_NOREV");
	if (greylist_text("JGREYLIST_NOREV")) say_variable("TCPREMOTEHOST");
	if (rule < GREYLIST_NOT_IN_DOUBT) return;
	say_variable("JGREYLIST_ONLY");
	if (greylist_text("JGREYLIST_ONLY")) say_variable("JGREYLIST_DOUBT");
}

static enum fate ask(const struct question *question)
{
	enum greylist_rule rule = greylist_rule_from_environment();
	bool refuses = rule == GREYLIST_BLACKLISTED ||
		       rule == GREYLIST_NO_REVERSE_NAME;

	say_variables(rule);
	if (rule == GREYLIST_STORE) return ask_store(question);
	return conclude(question, greylist_rule_text(rule),
			refuses ? REFUSED : LET_IN);
}

enum fate explain(struct store *store, const char *client,
		  enum notation notation)
{
	char shown[SHOWN_CLIENT];
	struct question question = {
		.store = store,
		.client = printable_text(shown, sizeof shown, client),
		.notation = notation,
		.contact = { .hold_seconds = store->greylist.hold_seconds,
			     .now = time(NULL) },
	};

	if (greylist_key_of_client(client, store->greylist.unit,
				   &question.contact.key) < 0)
		die_permanent("no IP address: %s", shown);
	return ask(&question);
}
