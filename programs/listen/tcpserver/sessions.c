/* SPDX-License-Identifier: ISC */
#include "sessions.h"

#include <stdint.h>
#include <stdlib.h>

enum { FIRST_ROOM = 64 };

/* Where the search for the pid begins. Knuth's multiplicative hashing: pids
   come in rows and with strides. */
static size_t home_of(const struct sessions *sessions, pid_t pid)
{
	uint32_t hash = (uint32_t)pid * 2654435769u;

	return (hash ^ hash >> 16) & (sessions->room - 1);
}

/* The pid's slot, or the free one where it would go. */
static size_t find(const struct sessions *sessions, pid_t pid)
{
	size_t at = home_of(sessions, pid);

	while (sessions->slots[at].pid && sessions->slots[at].pid != pid)
		at = (at + 1) & (sessions->room - 1);
	return at;
}

int sessions_make_room(struct sessions *sessions)
{
	struct sessions larger = {
		.room = sessions->room ? 2 * sessions->room : FIRST_ROOM,
	};

	if (2 * (sessions->count + 1) <= sessions->room) return 0;
	larger.slots = calloc(larger.room, sizeof *larger.slots);
	if (!larger.slots) return -1;
	for (size_t i = 0; i < sessions->room; i++)
		if (sessions->slots[i].pid)
			sessions_begin(&larger, &sessions->slots[i]);
	free(sessions->slots);
	*sessions = larger;
	return 0;
}

void sessions_begin(struct sessions *sessions, const struct session *session)
{
	sessions->slots[find(sessions, session->pid)] = *session;
	sessions->count++;
}

/* A search ends at a free slot: what lies behind the new gap and would be
   looked for before it moves up. */
static void close_gap(struct sessions *sessions, size_t gap)
{
	size_t mask = sessions->room - 1, at = gap;

	for (;;) {
		at = (at + 1) & mask;
		if (!sessions->slots[at].pid) break;
		size_t home = home_of(sessions, sessions->slots[at].pid);

		if (((at - home) & mask) < ((at - gap) & mask)) continue;
		sessions->slots[gap] = sessions->slots[at];
		gap = at;
	}
	sessions->slots[gap].pid = 0;
}

bool sessions_end(struct sessions *sessions, pid_t pid, struct session *ended)
{
	size_t at;

	if (!sessions->count) return false;
	at = find(sessions, pid);
	if (!sessions->slots[at].pid) return false;
	*ended = sessions->slots[at];
	close_gap(sessions, at);
	sessions->count--;
	return true;
}

const struct session *sessions_next(const struct sessions *sessions, size_t *at)
{
	while (*at < sessions->room) {
		const struct session *session = &sessions->slots[(*at)++];

		if (session->pid) return session;
	}
	return NULL;
}
