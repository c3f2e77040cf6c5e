/* SPDX-License-Identifier: ISC */
#include "system/tally.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

enum {
	CHUNK_PLACES = 4096,
	CHUNK_BYTES = CHUNK_PLACES * TALLY_BYTES,
	SLACK = 1024, /* places beyond the sessions', so that some are found */
	LOOK_FOR_IDLE = 4,   /* places, for each one that is newly taken */
	LOOK_FOR_LEAST = 16, /* before one is forgotten that is not idle */
	NO_PLACE = 0
};

#define NOBODY UINT32_MAX /* sessions of a free place */

static const int64_t nanoseconds = 1000000; /* of a millisecond */
static const int64_t minute = 60000 * nanoseconds;

/* Buckets and addresses grow together, so they share their memory: `first` has
   nothing to do with the address that has the place. */
struct tally_place {
	unsigned char key[TALLY_KEY];
	int64_t whole_at; /* when none of its share is in use, in nanoseconds */
	uint32_t sessions;
	uint32_t hash;
	uint32_t next;  /* in its bucket, or in the list of the free */
	uint32_t first; /* in the bucket that has this place's number */
};
_Static_assert(sizeof(struct tally_place) == TALLY_BYTES, "no gaps");

static struct tally_place *place_at(const struct tally *tally, uint32_t number)
{
	return &tally->chunks[number / CHUNK_PLACES][number % CHUNK_PLACES];
}

/* Keys. */

static void make_key(const struct tally *tally, const struct net_ip *ip,
		     unsigned char key[TALLY_KEY])
{
	unsigned bits = tally->ipv6_length;

	memset(key, 0, TALLY_KEY);
	if (ip->family == NET_IPV4) {
		key[10] = key[11] = 0xff; /* as IPv6 would have it */
		memcpy(key + 12, ip->bytes, 4);
		bits = 96 + tally->ipv4_length;
	} else {
		memcpy(key, ip->bytes, TALLY_KEY);
	}
	if (bits % 8) key[bits / 8] &= (unsigned char)(0xff00 >> bits % 8);
	for (size_t i = (bits + 7) / 8; i < TALLY_KEY; i++) key[i] = 0;
}

/* Two keys meet with the chance of two random numbers, whoever chose them: the
   multilinear family of Carter and Wegman, in the arithmetic of 64 bits. */
static uint32_t hash_key(const struct tally *tally,
			 const unsigned char key[TALLY_KEY])
{
	uint32_t words[TALLY_KEY / 4];
	uint64_t sum = tally->secret[TALLY_SECRETS - 1];

	memcpy(words, key, TALLY_KEY);
	for (size_t i = 0; i < TALLY_KEY / 4; i++)
		sum += tally->secret[i] * words[i];
	return (uint32_t)(sum >> 32);
}

/* Buckets: linear hashing. The mask is all ones and not below `buckets`; what
   would fall behind the last bucket is still in the one that it is split from.
   */

static uint32_t bucket_of(const struct tally *tally, uint32_t hash)
{
	uint32_t bucket = hash & tally->mask;

	return bucket < tally->buckets ? bucket : bucket & tally->mask >> 1;
}

static uint32_t *bucket_at(const struct tally *tally, uint32_t bucket)
{
	return &place_at(tally, bucket)->first;
}

static void split_a_bucket(struct tally *tally)
{
	uint32_t bucket = tally->buckets, *link;

	if (bucket > tally->mask) tally->mask = tally->mask * 2 + 1;
	link = bucket_at(tally, bucket & tally->mask >> 1);
	tally->buckets++;
	while (*link != NO_PLACE) {
		uint32_t number = *link;
		struct tally_place *place = place_at(tally, number);

		if (bucket_of(tally, place->hash) == bucket) {
			*link = place->next;
			place->next = *bucket_at(tally, bucket);
			*bucket_at(tally, bucket) = number;
		} else {
			link = &place->next;
		}
	}
}

static struct tally_place *find(const struct tally *tally,
				const unsigned char key[TALLY_KEY],
				uint32_t hash)
{
	uint32_t number = *bucket_at(tally, bucket_of(tally, hash));

	while (number != NO_PLACE) {
		struct tally_place *place = place_at(tally, number);

		if (place->hash == hash &&
		    memcmp(place->key, key, TALLY_KEY) == 0)
			return place;
		number = place->next;
	}
	return NULL;
}

static struct tally_place *find_address(const struct tally *tally,
					const struct net_ip *ip)
{
	unsigned char key[TALLY_KEY];

	make_key(tally, ip, key);
	return find(tally, key, hash_key(tally, key));
}

/* Places. */

static void give_back(struct tally *tally, uint32_t number)
{
	struct tally_place *place = place_at(tally, number);
	uint32_t *link = bucket_at(tally, bucket_of(tally, place->hash));

	while (*link != number) link = &place_at(tally, *link)->next;
	*link = place->next;
	place->sessions = NOBODY;
	place->next = tally->free;
	tally->free = number;
	tally->count--;
}

static uint32_t move_hand(struct tally *tally)
{
	tally->hand++;
	if (tally->hand >= tally->used) tally->hand = 1;
	return tally->hand;
}

static void give_back_idle(struct tally *tally, int64_t now)
{
	for (int i = 0; i < LOOK_FOR_IDLE && tally->used > 1; i++) {
		uint32_t number = move_hand(tally);
		const struct tally_place *place = place_at(tally, number);

		if (place->sessions == 0 && place->whole_at <= now)
			give_back(tally, number);
	}
}

/* Any place, by a linear congruential generator: those next to one another
   were often taken by addresses of one kind. */
static uint32_t throw_dice(struct tally *tally)
{
	tally->dice = tally->dice * 6364136223846793005 + 1442695040888963407;
	return 1 + (uint32_t)((tally->dice >> 32) * (tally->used - 1) >> 32);
}

static void give_back_least(struct tally *tally)
{
	uint32_t least = NO_PLACE;

	for (int i = 0; i < LOOK_FOR_LEAST; i++) {
		uint32_t number = throw_dice(tally);
		const struct tally_place *place = place_at(tally, number);

		if (place->sessions == 0 &&
		    (least == NO_PLACE ||
		     place->whole_at < place_at(tally, least)->whole_at))
			least = number;
	}
	if (least != NO_PLACE) give_back(tally, least);
}

/* There is one, since there are more places than sessions can take. */
static void give_back_any(struct tally *tally)
{
	for (uint32_t i = 1; i < tally->used; i++) {
		uint32_t number = move_hand(tally);

		if (place_at(tally, number)->sessions > 0) continue;
		give_back(tally, number);
		return;
	}
}

static int add_chunk(struct tally *tally)
{
	struct tally_place *chunk;

	if (tally->chunk_count == tally->chunk_room) {
		uint32_t room = tally->chunk_room ? tally->chunk_room * 2 : 4;
		struct tally_place **chunks =
			reallocarray(tally->chunks, room, sizeof(void *));

		if (!chunks) return -1;
		tally->chunks = chunks;
		tally->chunk_room = room;
	}
	/* From the kernel: what is never used never becomes memory. */
	chunk = mmap(NULL, CHUNK_BYTES, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (chunk == MAP_FAILED) return -1;
	tally->chunks[tally->chunk_count++] = chunk;
	return 0;
}

static bool next_is_there(struct tally *tally)
{
	if (tally->used < tally->chunk_count * CHUNK_PLACES) return true;
	return tally->chunk_count < tally->chunk_limit && add_chunk(tally) == 0;
}

static uint32_t take_place(struct tally *tally, int64_t now, bool must)
{
	uint32_t number;

	if (tally->free == NO_PLACE) give_back_idle(tally, now);
	if (tally->free == NO_PLACE && next_is_there(tally))
		return tally->used++;
	if (tally->free == NO_PLACE) give_back_least(tally);
	if (tally->free == NO_PLACE && must) give_back_any(tally);
	number = tally->free;
	if (number != NO_PLACE) tally->free = place_at(tally, number)->next;
	return number;
}

/* The address's place, if need be a new one; NULL when there is none. */
static struct tally_place *find_or_add(struct tally *tally,
				       const unsigned char key[TALLY_KEY],
				       int64_t now, bool must)
{
	uint32_t hash = hash_key(tally, key), number, *link;
	struct tally_place *place = find(tally, key, hash);

	if (place) return place;
	number = take_place(tally, now, must);
	if (number == NO_PLACE) return NULL;
	place = place_at(tally, number);
	memcpy(place->key, key, TALLY_KEY);
	place->whole_at = 0;
	place->sessions = 0;
	place->hash = hash;
	link = bucket_at(tally, bucket_of(tally, hash));
	place->next = *link;
	*link = number;
	/* The new bucket's number is that of a place that was used before. */
	if (++tally->count > tally->buckets) split_a_bucket(tally);
	return place;
}

/* The table as a whole. */

int tally_open(struct tally *tally, unsigned ipv4_length, unsigned ipv6_length,
	       size_t sessions, size_t rates)
{
	size_t chunks = (sessions + SLACK) / CHUNK_PLACES + 1;
	size_t more = rates / CHUNK_PLACES;
	ssize_t got;

	*tally = (struct tally){
		.ipv4_length = ipv4_length,
		.ipv6_length = ipv6_length,
		.used = 1,
		.buckets = 1,
	};
	if (sessions > UINT32_MAX / 4 || rates > UINT32_MAX / 4) {
		errno = ENOMEM;
		return -1;
	}
	do got = getrandom(tally->secret, sizeof tally->secret, 0);
	while (got < 0 && errno == EINTR);
	if (got < 0) return -1;
	tally->dice = tally->secret[0];
	tally->chunk_limit = (uint32_t)(chunks + more);
	while (tally->chunk_count < chunks) {
		if (add_chunk(tally) == 0) continue;
		tally_close(tally);
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

void tally_close(struct tally *tally)
{
	for (uint32_t i = 0; i < tally->chunk_count; i++)
		munmap(tally->chunks[i], CHUNK_BYTES);
	free(tally->chunks);
	*tally = (struct tally){ 0 };
}

/* Sessions. */

/* Room for a minute more, and for the sum of two. */
static int64_t in_nanoseconds(long long milliseconds)
{
	const long long latest = INT64_MAX / nanoseconds - 2 * 60000;

	if (milliseconds < 0) return 0;
	if (milliseconds > latest) milliseconds = latest;
	return milliseconds * nanoseconds;
}

size_t tally_sessions(const struct tally *tally, const struct net_ip *ip)
{
	const struct tally_place *place = find_address(tally, ip);

	return place ? place->sessions : 0;
}

bool tally_begin(struct tally *tally, const struct net_ip *ip, long long now)
{
	unsigned char key[TALLY_KEY];
	struct tally_place *place;

	make_key(tally, ip, key);
	place = find_or_add(tally, key, in_nanoseconds(now), true);
	if (!place) return false;
	place->sessions++;
	return true;
}

void tally_end(struct tally *tally, const struct net_ip *ip, long long now)
{
	unsigned char key[TALLY_KEY];
	struct tally_place *place;
	uint32_t hash, number;

	make_key(tally, ip, key);
	hash = hash_key(tally, key);
	place = find(tally, key, hash);
	if (!place || place->sessions == 0) return;
	place->sessions--;
	if (place->sessions > 0 || place->whole_at > in_nanoseconds(now))
		return;
	number = *bucket_at(tally, bucket_of(tally, hash));
	while (place_at(tally, number) != place)
		number = place_at(tally, number)->next;
	give_back(tally, number);
}

/* Rates: the generic cell rate algorithm. `whole_at` says in one number how
   much is in the bucket: one token is 1/share of a minute. */

static int64_t in_use(const struct tally_place *place, int64_t now)
{
	int64_t wait = place->whole_at - now;

	if (wait <= 0) return 0;
	return wait < minute ? wait : minute;
}

static int64_t one_of(unsigned long share)
{
	return share > (unsigned long)LONG_MAX ? 0 : minute / (int64_t)share;
}

bool tally_rate_allows(const struct tally *tally, const struct net_ip *ip,
		       unsigned long share, long long now)
{
	const struct tally_place *place;

	if (share == 0) return false;
	place = find_address(tally, ip);
	if (!place) return true;
	return in_use(place, in_nanoseconds(now)) + one_of(share) <= minute;
}

static void use(struct tally *tally, const unsigned char key[TALLY_KEY],
		int64_t wait, int64_t now)
{
	struct tally_place *place;

	if (wait == 0) return;
	place = find_or_add(tally, key, now, false);
	if (!place) return;
	wait += in_use(place, now);
	place->whole_at = now + (wait < minute ? wait : minute);
}

void tally_rate_count(struct tally *tally, const struct net_ip *ip,
		      unsigned long share, long long now)
{
	unsigned char key[TALLY_KEY];

	if (share == 0) return;
	make_key(tally, ip, key);
	use(tally, key, one_of(share), in_nanoseconds(now));
}

bool tally_next_rate(const struct tally *tally, size_t *at, long long now,
		     struct tally_rate *rate)
{
	while (++*at < tally->used) {
		const struct tally_place *place =
			place_at(tally, (uint32_t)*at);
		int64_t wait = in_use(place, in_nanoseconds(now));

		if (place->sessions == NOBODY || wait < nanoseconds) continue;
		memcpy(rate->key, place->key, TALLY_KEY);
		rate->wait = wait / nanoseconds; /* in the client's favour */
		return true;
	}
	return false;
}

void tally_restore_rate(struct tally *tally, const struct tally_rate *rate,
			long long now)
{
	if (rate->wait <= 0) return;
	use(tally, rate->key,
	    rate->wait < 60000 ? rate->wait * nanoseconds : minute,
	    in_nanoseconds(now));
}
