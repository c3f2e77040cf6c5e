/* What is known of many addresses: how many sessions each has now, and how much
   of its share of new ones a minute it has used. An address counts by its
   first bits, so that a network can count as one.
   The surprise: it forgets on purpose, but to one side only. A session is
   always counted, while it lasts. A rate is lost when memory runs out, that of
   whoever has used least first; so a flood may get in more than its share, but
   nobody who keeps to his share is ever refused for one more.
   Each call takes the same time for ten addresses as for a million: the table
   grows by one bucket at a time and is never copied, and each new address
   makes up for some that have become idle. The hash has a secret of its own,
   so nobody outside can choose addresses that meet.
   Times are milliseconds of one clock, which should not go backwards; if it
   does, no address waits longer than a minute for it.
   SPDX-License-Identifier: ISC */
#ifndef SYSTEM_TALLY_H
#define SYSTEM_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "system/net.h"

enum {
	TALLY_KEY = 16,
	TALLY_SECRETS = 5,
};

struct tally_place;

struct tally {
	unsigned ipv4_length; /* the bits that count */
	unsigned ipv6_length;
	uint64_t secret[TALLY_SECRETS];
	uint64_t dice;
	struct tally_place **chunks;
	uint32_t chunk_count;
	uint32_t chunk_room;
	uint32_t chunk_limit;
	uint32_t used;  /* places that were ever taken, and place 0 */
	uint32_t count; /* places that are taken now */
	uint32_t buckets;
	uint32_t mask; /* of a hash, for the number of its bucket */
	uint32_t free; /* a list of places */
	uint32_t hand; /* looks for idle addresses, round and round */
};

/* What an address costs; it is taken for some thousands of them at a time. */
enum { TALLY_BYTES = 40 };

/* Memory for `sessions` addresses with sessions, once and for all: up to there
   no call of tally_begin can fail. It takes no more than for about `rates`
   addresses besides. 0, or -1 with errno. */
int tally_open(struct tally *, unsigned ipv4_length, unsigned ipv6_length,
	       size_t sessions, size_t rates);
void tally_close(struct tally *);

size_t tally_sessions(const struct tally *, const struct net_ip *);

/* False: no memory, and the session is not counted. */
bool tally_begin(struct tally *, const struct net_ip *, long long now);
void tally_end(struct tally *, const struct net_ip *, long long now);

/* May one more come, when there may be `share` a minute? A bucket of as many
   tokens, refilled at the same speed: who never tries more often than `share`
   times in any minute always may; who tries without end gets in 2 * share - 1
   times in the first minute and `share` times in each other. None may for 0. */
bool tally_rate_allows(const struct tally *, const struct net_ip *,
		       unsigned long share, long long now);

/* One more has come. It uses 1/share of a minute, so that rules with other
   shares for the same network fit together. */
void tally_rate_count(struct tally *, const struct net_ip *,
		      unsigned long share, long long now);

/* To carry the rates over to another table: each address that has used some of
   its share, and for how many milliseconds more it will show. Begin with *at =
   0; false at the end. */
struct tally_rate {
	unsigned char key[TALLY_KEY];
	long long wait;
};
bool tally_next_rate(const struct tally *, size_t *at, long long now,
		     struct tally_rate *);
void tally_restore_rate(struct tally *, const struct tally_rate *,
			long long now);

#endif
