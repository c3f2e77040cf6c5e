/* SPDX-License-Identifier: ISC */
#include "verdict.h"

/* The walk over the lists. */
struct walk {
	struct verdict verdict;
	bool must_be_temporary; /* a list failed: nobody is refused for good */
};

static void refuse(struct walk *walk, const struct look_up *reason)
{
	walk->verdict.what = REFUSE;
	walk->verdict.reason = reason;
	walk->verdict.permanent =
		reason && reason->entry->permanent && !walk->must_be_temporary;
}

/* Open: the client is not to suffer. A list that blocks lists nobody; one that
   allows, everybody, though it has spoken for nobody. */
static void hear_failure(struct walk *walk, const struct look_up *look_up)
{
	const struct entry *entry = look_up->entry;

	if (entry->log_only) return;
	walk->must_be_temporary = true;
	if (entry->fail_closed) {
		if (!dns_list_speaks_for(&entry->list)) refuse(walk, NULL);
		return;
	}
	if (!dns_list_speaks_for(&entry->list)) return;
	if (entry->list.has_weight) walk->verdict.score += entry->list.weight;
	else walk->verdict.what = LET_IN_AT_ONCE;
}

static void hear_listing(struct walk *walk, const struct look_up *look_up)
{
	const struct entry *entry = look_up->entry;
	const struct dns_list *list = &entry->list;

	if (entry->log_only) return;
	walk->verdict.score += list->weight;
	if (!dns_list_speaks_for(list)) {
		if (!walk->verdict.reason && list->weight > 0)
			walk->verdict.reason = look_up;
		return;
	}
	if (list->has_filter || list->has_weight)
		walk->verdict.spoken_for = true;
	if (!list->has_weight) walk->verdict.what = LET_IN_AT_ONCE;
}

/* Does a list behind this one take something off the score? */
static bool may_sink(const struct settings *settings, size_t at)
{
	while (++at < settings->count) {
		const struct entry *entry = &settings->entries[at];

		if (entry->list.weight < 0 && !entry->log_only) return true;
	}
	return false;
}

/* One list's say. False: it has none yet. */
static bool hear(struct walk *walk, const struct look_up *look_up)
{
	bool text_wanted = !walk->verdict.reason || look_up->entry->log_only;

	switch (look_up_opinion(look_up, text_wanted)) {
	case AWAITED_OPINION: return false;
	case NO_OPINION: hear_failure(walk, look_up); break;
	case LISTED: hear_listing(walk, look_up); break;
	case NOT_LISTED: break;
	}
	walk->verdict.heard++;
	return true;
}

struct verdict verdict_of(const struct settings *settings,
			  const struct look_up look_ups[])
{
	struct walk walk = { .verdict = { .what = UNDECIDED } };

	for (size_t i = 0; i < settings->count; i++) {
		if (!hear(&walk, &look_ups[i])) return walk.verdict;
		if (walk.verdict.what != UNDECIDED) return walk.verdict;
		if (walk.verdict.score < settings->threshold ||
		    may_sink(settings, i))
			continue;
		refuse(&walk, walk.verdict.reason);
		return walk.verdict;
	}
	walk.verdict.what = LET_IN;
	return walk.verdict;
}
