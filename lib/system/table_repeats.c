/* SPDX-License-Identifier: ISC */
#include "system/table_repeats.h"

#include <cdb.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

/* The format: pointers to as many hash tables, then the records, each with a
   head of two lengths, then the hash tables. */
enum { TABLES = 256, POINTER = 8, HEAD = 8 };

struct slot {
	unsigned char hash[4];
	unsigned char place[4]; /* of the record; 0: the slot is empty */
};

struct slots {
	const struct slot *slot;
	size_t count;
};

/* As many bytes as there are: fewer than `size` only at the end. */
static ssize_t read_at(int fd, void *into, size_t size, size_t place)
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

static int read_whole_at(int fd, void *into, size_t size, size_t place)
{
	ssize_t n = read_at(fd, into, size, place);

	if (n >= 0 && (size_t)n < size) errno = EPROTO;
	return n >= 0 && (size_t)n == size ? 0 : -1;
}

/* 1 or 0, or -1 with errno. A piece holds all of most keys. */
static int same_key(int fd, size_t a, size_t b)
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

/* While searching, records go by their places in the file. */
static bool is_too_late(const struct table_repeats *repeats, size_t place)
{
	return repeats->used == TABLE_REPEATS &&
	       place > repeats->found[TABLE_REPEATS - 1].record;
}

static void keep(struct table_repeats *repeats, size_t place, size_t first)
{
	size_t at = repeats->used;

	if (at == TABLE_REPEATS) at--;
	else repeats->used++;
	for (; at > 0 && repeats->found[at - 1].record > place; at--)
		repeats->found[at] = repeats->found[at - 1];
	repeats->found[at] = (struct table_repeat){ place, first };
}

/* Most records need no more than this look at their neighbours. */
static bool may_repeat(const struct slots *slots, size_t i)
{
	size_t at = i;

	do {
		at = (at ? at : slots->count) - 1;
		if (!cdb_unpack(slots->slot[at].place)) return false;
	} while (memcmp(slots->slot[at].hash, slots->slot[i].hash, 4) != 0);
	return at != i;
}

/* Looks from where its hash points up to the record itself. */
static int search(struct table_repeats *repeats, int fd,
		  const struct slots *slots, size_t i)
{
	const struct slot *slot = slots->slot + i;
	size_t place = cdb_unpack(slot->place);
	size_t at = (cdb_unpack(slot->hash) / TABLES) % slots->count;

	if (is_too_late(repeats, place)) {
		repeats->count++;
		return 0;
	}
	for (; at != i; at = at + 1 == slots->count ? 0 : at + 1) {
		size_t first = cdb_unpack(slots->slot[at].place);
		int same;

		if (memcmp(slots->slot[at].hash, slot->hash, 4) != 0) continue;
		same = same_key(fd, place, first);
		if (same < 0) return -1;
		if (same == 0) continue;
		repeats->count++;
		keep(repeats, place, first);
		return 0;
	}
	return 0;
}

static int search_table(struct table_repeats *repeats, int fd,
			const unsigned char *pointer, struct str *memory)
{
	size_t count = cdb_unpack(pointer + 4);
	size_t size = count * sizeof(struct slot);
	struct slots slots;

	str_clear(memory);
	str_reserve(memory, size);
	if (read_whole_at(fd, memory->data, size, cdb_unpack(pointer)) < 0)
		return -1;
	slots = (struct slots){ (const struct slot *)memory->data, count };
	for (size_t i = 0; i < count; i++) {
		if (!cdb_unpack(slots.slot[i].place)) continue;
		if (!may_repeat(&slots, i)) continue;
		if (search(repeats, fd, &slots, i) < 0) return -1;
	}
	return 0;
}

static int search_tables(struct table_repeats *repeats, int fd)
{
	unsigned char pointers[TABLES * POINTER];
	struct str memory = { 0 };
	int result = read_whole_at(fd, pointers, sizeof pointers, 0);

	for (size_t i = 0; result == 0 && i < TABLES; i++)
		result = search_table(repeats, fd, pointers + i * POINTER,
				      &memory);
	str_free(&memory);
	return result;
}

static int compare(const void *a, const void *b)
{
	const unsigned long *const *one = a, *const *other = b;

	return (**one > **other) - (**one < **other);
}

/* A step of FAR goes on with the next byte. */
enum { FAR = 255 };

void table_number(struct table_numbers *numbers, unsigned long number)
{
	unsigned long step = number - numbers->last;

	for (numbers->last = number; step >= FAR; step -= FAR)
		str_append_byte(&numbers->steps, (char)FAR);
	str_reserve(&numbers->steps, 1);
	numbers->steps.data[numbers->steps.length++] = (char)step;
}

static unsigned long next_number(const unsigned char **step,
				 unsigned long number)
{
	do number += **step;
	while (*(*step)++ == FAR);
	return number;
}

/* Each place becomes the number of the record that stands there. */
static int number_records(int fd, const struct table_numbers *numbers,
			  unsigned long **places, size_t count)
{
	const unsigned char *step = (const unsigned char *)numbers->steps.data;
	unsigned char bytes[4096];
	size_t begin = 0, filled = 0, at = TABLES * POINTER;
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
		at += HEAD + (size_t)cdb_unpack(bytes + (at - begin)) +
		      cdb_unpack(bytes + (at - begin) + 4);
		number = next_number(&step, number);
	}
	return 0;
}

int table_find_repeats(int fd, const struct table_numbers *numbers,
		       struct table_repeats *repeats)
{
	unsigned long *places[2 * TABLE_REPEATS];
	size_t count = 0;

	repeats->used = repeats->count = 0;
	if (search_tables(repeats, fd) < 0) return -1;
	for (size_t i = 0; i < repeats->used; i++) {
		places[count++] = &repeats->found[i].record;
		places[count++] = &repeats->found[i].first;
	}
	qsort(places, count, sizeof *places, compare);
	return number_records(fd, numbers, places, count);
}
