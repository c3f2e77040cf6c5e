/* SPDX-License-Identifier: ISC */
#include "system/table_maker.h"

#include <cdb.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "system/file.h"

/* The format, all numbers little-endian: pointers to the hash tables (place and
   slots of each), the records, each with a head of two lengths, then the hash
   tables. */
enum { POINTER = 8, HEAD = 8, RECORDS = TABLE_PARTS * POINTER };

/* Written when there are as many bytes. */
enum { AT_ONCE = 65536 };

/* Of a record; in a hash table, little-endian, and a place of 0 is empty. */
struct slot {
	uint32_t hash;
	uint32_t place;
};

enum { ENTRIES = 254 };

struct table_entries {
	struct table_entries *next;
	size_t used;
	struct slot entry[ENTRIES];
};

/* Adding. */

int table_make_start(struct table_maker *maker, int fd)
{
	*maker = (struct table_maker){ .fd = fd, .place = RECORDS };
	return lseek(fd, RECORDS, SEEK_SET) < 0 ? -1 : 0;
}

static int flush(struct table_maker *maker)
{
	struct str *pending = &maker->pending;
	int result = file_write(maker->fd, pending->data, pending->length);

	str_clear(pending);
	return result;
}

/* Keys and values are short, and there may be millions: memcpy of musl takes
   its time to begin. */
static char *put(char *to, const void *bytes, size_t length)
{
	const char *from = bytes;

	for (; length >= 8; length -= 8, to += 8, from += 8)
		memcpy(to, from, 8);
	if (length & 4) {
		memcpy(to, from, 4);
		to += 4;
		from += 4;
	}
	if (length & 2) {
		memcpy(to, from, 2);
		to += 2;
		from += 2;
	}
	if (length & 1) *to++ = *from;
	return to;
}

static char *put_number(char *to, uint64_t number)
{
	uint32_t little = htole32((uint32_t)number);

	memcpy(to, &little, sizeof little);
	return to + sizeof little;
}

static int remember(struct table_maker *maker, uint32_t hash)
{
	size_t part = hash % TABLE_PARTS;
	struct table_entries *last = maker->last[part];

	if (!last || last->used == ENTRIES) {
		last = malloc(sizeof *last);
		if (!last) return -1;
		last->next = NULL;
		last->used = 0;
		if (maker->last[part]) maker->last[part]->next = last;
		else maker->first[part] = last;
		maker->last[part] = last;
	}
	last->entry[last->used++] =
		(struct slot){ hash, (uint32_t)maker->place };
	return 0;
}

int table_make_add(struct table_maker *maker, const void *key, size_t length,
		   const void *value, size_t value_length)
{
	struct str *pending = &maker->pending;
	uint64_t size = HEAD + (uint64_t)length + value_length;
	char *to;

	if (length > UINT32_MAX || value_length > UINT32_MAX ||
	    maker->place + size > UINT32_MAX) {
		errno = EFBIG;
		return -1;
	}
	if (remember(maker, cdb_hash(key, (unsigned)length)) < 0) return -1;
	str_reserve(pending, size);
	to = put_number(pending->data + pending->length, length);
	to = put_number(to, value_length);
	put(put(to, key, length), value, value_length);
	pending->length += size;
	maker->place += size;
	return pending->length < AT_ONCE ? 0 : flush(maker);
}

/* Repeats. */

/* A step of FAR goes on with the next byte. */
enum { FAR = 255 };

void table_make_number(struct table_repeats *repeats, unsigned long number)
{
	unsigned long step = number - repeats->last;

	for (repeats->last = number; step >= FAR; step -= FAR)
		str_append_byte(&repeats->steps, (char)FAR);
	str_reserve(&repeats->steps, 1);
	repeats->steps.data[repeats->steps.length++] = (char)step;
}

static unsigned long next_number(const unsigned char **step,
				 unsigned long number)
{
	do number += **step;
	while (*(*step)++ == FAR);
	return number;
}

/* As many bytes as there are: fewer than `size` only at the end. */
static ssize_t read_at(int fd, void *into, size_t size, uint64_t place)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pread(fd, (char *)into + done, size - done,
				  (off_t)(place + done));

		if (n < 0 && errno == EINTR) continue;
		if (n < 0) return -1;
		if (n == 0) break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* 1 or 0, or -1 with errno. A piece holds all of most keys. */
static int same_key(int fd, uint64_t a, uint64_t b)
{
	enum { PIECE = 64 };
	unsigned char one[PIECE], other[PIECE];
	size_t length = HEAD;

	for (size_t at = 0; at < length; at += PIECE) {
		ssize_t n = read_at(fd, one, PIECE, a + at);
		ssize_t m = read_at(fd, other, PIECE, b + at);
		size_t part;

		if (n < 0 || m < 0) return -1;
		if (at == 0) {
			length = HEAD + (size_t)cdb_unpack(one);
			/* The length of the value does not matter. */
			memcpy(one + HEAD / 2, other + HEAD / 2, HEAD / 2);
		}
		part = length - at < PIECE ? length - at : PIECE;
		if ((size_t)n < part || (size_t)m < part) return 0;
		if (memcmp(one, other, part) != 0) return 0;
	}
	return 1;
}

/* Until the end, records go by their places in the file. */
static bool is_too_late(const struct table_repeats *repeats, uint32_t place)
{
	return repeats->used == TABLE_REPEATS &&
	       place > repeats->found[TABLE_REPEATS - 1].record;
}

static void keep(struct table_repeats *repeats, uint32_t place, uint32_t first)
{
	size_t at = repeats->used;

	if (at == TABLE_REPEATS) at--;
	else repeats->used++;
	for (; at > 0 && repeats->found[at - 1].record > place; at--)
		repeats->found[at] = repeats->found[at - 1];
	repeats->found[at] = (struct table_repeat){ place, first };
}

/* A record, and one before it that has its hash. 1: they have one key. */
static int compare_records(struct table_repeats *repeats, int fd,
			   uint32_t place, uint32_t first)
{
	int same = is_too_late(repeats, place) ? 1 : same_key(fd, place, first);

	if (same != 1) return same;
	if (!is_too_late(repeats, place)) keep(repeats, place, first);
	repeats->count++;
	return 1;
}

static int compare_places(const void *a, const void *b)
{
	const unsigned long *const *one = a, *const *other = b;

	return (**one > **other) - (**one < **other);
}

/* Each place becomes the number of the record that stands there. */
static int number_places(int fd, const struct table_repeats *repeats,
			 unsigned long **places, size_t count)
{
	const unsigned char *step = (const unsigned char *)repeats->steps.data;
	unsigned char bytes[4096];
	uint64_t begin = 0, at = RECORDS;
	size_t filled = 0;
	unsigned long number = count ? next_number(&step, 0) : 0;

	for (size_t i = 0; i < count;) {
		if (*places[i] <= at) {
			*places[i++] = number;
			continue;
		}
		if (at - begin + HEAD > filled) {
			ssize_t n = read_at(fd, bytes, sizeof bytes, at);

			if (n >= 0 && n < HEAD) errno = EPROTO;
			if (n < HEAD) return -1;
			begin = at;
			filled = (size_t)n;
		}
		at += HEAD + (uint64_t)cdb_unpack(bytes + (at - begin)) +
		      cdb_unpack(bytes + (at - begin) + HEAD / 2);
		number = next_number(&step, number);
	}
	return 0;
}

static int number_repeats(int fd, struct table_repeats *repeats)
{
	unsigned long *places[2 * TABLE_REPEATS] = { NULL };
	size_t count = 0;

	for (size_t i = 0; i < repeats->used; i++) {
		places[count++] = &repeats->found[i].record;
		places[count++] = &repeats->found[i].first;
	}
	qsort(places, count, sizeof *places, compare_places);
	return number_places(fd, repeats, places, count);
}

/* Finishing. */

/* A hash table while it is filled. Since nothing leaves it, the next record of a
   hash can only stand behind the last one: were that not noted, a hundred
   thousand rules for one address would take a minute. */
enum { NOTES = 64 };

struct hashes {
	struct slot *slot;
	uint32_t count;
	struct note {
		uint32_t hash;
		uint32_t last; /* 0: none is noted */
	} notes[NOTES];
};

static int insert(struct table_maker *maker, struct table_repeats *repeats,
		  struct hashes *hashes, struct slot entry)
{
	const struct slot stored = { htole32(entry.hash),
				     htole32(entry.place) };
	uint32_t own = entry.hash / TABLE_PARTS;
	uint32_t at = own % hashes->count;
	struct note *note = &hashes->notes[own % NOTES];
	bool compare = repeats != NULL;
	int same;

	if (note->last && note->hash == entry.hash &&
	    (!repeats || is_too_late(repeats, entry.place))) {
		at = note->last;
		if (repeats) repeats->count++;
		compare = false;
	}
	for (; hashes->slot[at].place;
	     at = at + 1 == hashes->count ? 0 : at + 1) {
		if (!compare || hashes->slot[at].hash != stored.hash) continue;
		same = compare_records(repeats, maker->fd, entry.place,
				       le32toh(hashes->slot[at].place));
		if (same < 0) return -1;
		if (same == 1) compare = false;
	}
	hashes->slot[at] = stored;
	*note = (struct note){ entry.hash, at };
	return 0;
}

static uint32_t entries_of(const struct table_maker *maker, size_t part)
{
	const struct table_entries *entries = maker->first[part];
	uint32_t count = 0;

	for (; entries; entries = entries->next)
		count += (uint32_t)entries->used;
	return count;
}

/* Twice as many slots as records, as every maker has it. */
static int make_hashes(struct table_maker *maker, struct table_repeats *repeats,
		       size_t part)
{
	struct hashes hashes = { .count = 2 * entries_of(maker, part) };
	size_t size = hashes.count * sizeof *hashes.slot;
	int result = 0;

	if (!hashes.count) return 0;
	if (maker->place + size > UINT32_MAX) {
		errno = EFBIG;
		return -1;
	}
	hashes.slot = calloc(hashes.count, sizeof *hashes.slot);
	if (!hashes.slot) return -1;
	for (const struct table_entries *entries = maker->first[part];
	     entries && result == 0; entries = entries->next)
		for (size_t i = 0; i < entries->used && result == 0; i++)
			result = insert(maker, repeats, &hashes,
					entries->entry[i]);
	str_append(&maker->pending, hashes.slot, size);
	free(hashes.slot);
	maker->place += size;
	if (result == 0 && maker->pending.length >= AT_ONCE)
		result = flush(maker);
	return result;
}

static int write_pointers(int fd, const char *pointers)
{
	for (size_t done = 0; done < RECORDS;) {
		ssize_t n = pwrite(fd, pointers + done, RECORDS - done,
				   (off_t)done);

		if (n < 0 && errno != EINTR) return -1;
		if (n > 0) done += (size_t)n;
	}
	return 0;
}

static int finish(struct table_maker *maker, struct table_repeats *repeats)
{
	char pointers[RECORDS], *at = pointers;

	/* Keys are read back to be compared. */
	if (flush(maker) < 0) return -1;
	for (size_t part = 0; part < TABLE_PARTS; part++) {
		at = put_number(at, maker->place);
		at = put_number(at, 2 * entries_of(maker, part));
		if (make_hashes(maker, repeats, part) < 0) return -1;
	}
	if (flush(maker) < 0) return -1;
	if (write_pointers(maker->fd, pointers) < 0) return -1;
	return repeats ? number_repeats(maker->fd, repeats) : 0;
}

int table_make_finish(struct table_maker *maker, struct table_repeats *repeats)
{
	int result = finish(maker, repeats), cause = errno;

	for (size_t part = 0; part < TABLE_PARTS; part++)
		while (maker->first[part]) {
			struct table_entries *entries = maker->first[part];

			maker->first[part] = entries->next;
			free(entries);
		}
	str_free(&maker->pending);
	errno = cause;
	return result;
}
