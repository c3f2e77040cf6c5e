/* SPDX-License-Identifier: ISC */
#include "system/record_list.h"

#include <endian.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "system/table_maker.h"

/* The first bytes of a key are at hand: most comparisons need no more. */
struct record_entry {
	uint64_t begin;
	const char *text; /* of the list, while it is sorted */
	size_t at;
	uint32_t key_length;
	uint32_t value_length;
};

/* Zeros stand for bytes that the key does not have. */
static uint64_t begin_of(const void *key, size_t length)
{
	uint64_t begin = 0;

	if (length) memcpy(&begin, key, length < 8 ? length : 8);
	return be64toh(begin);
}

static void make_room(struct record_list *list)
{
	size_t room = list->room ? list->room + list->room / 2 : 256;
	struct record_entry *entries =
		reallocarray(list->entries, room, sizeof *entries);

	if (!entries) {
		note("fatal: out of memory");
		exit(str_memory_exit);
	}
	list->entries = entries;
	list->room = room;
}

void record_list_add(struct record_list *list, const void *key,
		     size_t key_length, const void *value, size_t value_length)
{
	if (list->count == list->room) make_room(list);
	list->entries[list->count++] = (struct record_entry){
		.begin = begin_of(key, key_length),
		.at = list->text.length,
		.key_length = (uint32_t)key_length,
		.value_length = (uint32_t)value_length,
	};
	str_append(&list->text, key, key_length);
	str_append(&list->text, value, value_length);
}

struct record record_list_at(const struct record_list *list, size_t number)
{
	const struct record_entry *entry = &list->entries[number];
	const char *key = list->text.data + entry->at;

	return (struct record){ key, entry->key_length, key + entry->key_length,
				entry->value_length };
}

/* Keys begin alike, by the domain, and musl's memcmp goes byte by byte. */
static int compare_keys(const char *a, size_t a_length, const char *b,
			size_t b_length)
{
	size_t length = a_length < b_length ? a_length : b_length, i = 0;
	int order;

	for (; length - i >= 8; i += 8) {
		uint64_t one, other;

		memcpy(&one, a + i, 8);
		memcpy(&other, b + i, 8);
		if (one != other) return be64toh(one) < be64toh(other) ? -1 : 1;
	}
	order = length > i ? memcmp(a + i, b + i, length - i) : 0;
	return order ? order : (a_length > b_length) - (a_length < b_length);
}

static int compare_entries(const void *one, const void *other)
{
	const struct record_entry *a = one, *b = other;
	int order;

	if (a->begin != b->begin) return a->begin < b->begin ? -1 : 1;
	order = compare_keys(a->text + a->at, a->key_length, b->text + b->at,
			     b->key_length);
	return order ? order : (a->at > b->at) - (a->at < b->at);
}

void record_list_sort(struct record_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		list->entries[i].text = list->text.data;
	if (list->count)
		qsort(list->entries, list->count, sizeof *list->entries,
		      compare_entries);
}

static bool same_key(const struct record *a, const struct record *b)
{
	return a->key_length == b->key_length &&
	       memcmp(a->key, b->key, a->key_length) == 0;
}

void record_list_drop_repeats(struct record_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct record record = record_list_at(list, i), last;

		if (kept > 0) {
			last = record_list_at(list, kept - 1);
			if (same_key(&record, &last)) continue;
		}
		list->entries[kept++] = list->entries[i];
	}
	list->count = kept;
}

size_t record_list_place(const struct record_list *list, const void *key,
			 size_t length)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct record record = record_list_at(list, middle);

		if (compare_keys(record.key, record.key_length, key, length) <
		    0)
			low = middle + 1;
		else high = middle;
	}
	return low;
}

bool record_list_find(const struct record_list *list, const void *key,
		      size_t length, struct record *record)
{
	const struct record wanted = { .key = key, .key_length = length };
	size_t place = record_list_place(list, key, length);

	if (place == list->count) return false;
	*record = record_list_at(list, place);
	return same_key(record, &wanted);
}

static int write_table(const struct record_list *list, int fd)
{
	static struct table_maker maker;

	if (table_make_start(&maker, fd) < 0) return -1;
	for (size_t i = 0; i < list->count; i++) {
		struct record record = record_list_at(list, i);

		if (table_make_add(&maker, record.key, record.key_length,
				   record.value, record.value_length) < 0)
			return -1;
	}
	return table_make_finish(&maker, NULL);
}

int record_list_replace(const struct record_list *list, const char *path,
			const struct replacement_rights *rights)
{
	struct replacement replacement = { 0 };

	if (replacement_start(&replacement, path, rights) < 0 ||
	    write_table(list, replacement.fd) < 0)
		return -1;
	return replacement_finish(&replacement);
}

void record_list_free(struct record_list *list)
{
	free(list->entries);
	str_free(&list->text);
	*list = (struct record_list){ 0 };
}
