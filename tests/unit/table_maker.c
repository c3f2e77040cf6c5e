/* Tables that are made: the bytes that every other maker makes, and the records
   that are never found.
   SPDX-License-Identifier: ISC */
#include "system/table_maker.h"

#include <cdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "system/table.h"
#include "tap.h"

enum { LONGEST_KEY = 300, NUMBER_STEP = 7 };

static unsigned long state = 1;

static unsigned random_below(unsigned limit)
{
	state = state * 6364136223846793005UL + 1442695040888963407UL;
	return (unsigned)(state >> 33) % limit;
}

/* A key that is one of `keys`, of a length of its own. */
static size_t make_key(char *key, unsigned keys)
{
	unsigned number = random_below(keys);
	size_t length = (size_t)snprintf(key, LONGEST_KEY, "%u", number);

	for (unsigned i = number % 90; i > 0; i--)
		key[length++] = (char)('a' + i % 26);
	return length;
}

static void read_all(int fd, struct str *bytes)
{
	char piece[4096];
	ssize_t n;

	lseek(fd, 0, SEEK_SET);
	while ((n = read(fd, piece, sizeof piece)) > 0)
		str_append(bytes, piece, (size_t)n);
}

/* What tinycdb makes of the same records. */
static void test_bytes(unsigned records, unsigned keys)
{
	int own = memfd_create("own", MFD_CLOEXEC);
	int other = memfd_create("other", MFD_CLOEXEC);
	struct str got = { 0 }, wanted = { 0 };
	struct table_maker maker;
	struct cdb_make make;
	char name[80];
	bool made = true;

	table_make_start(&maker, own);
	cdb_make_start(&make, other);
	for (unsigned i = 0; i < records; i++) {
		char key[LONGEST_KEY], value[LONGEST_KEY];
		size_t length = make_key(key, keys);
		size_t value_length = make_key(value, 1000);

		if (table_make_add(&maker, key, length, value, value_length))
			made = false;
		cdb_make_add(&make, key, (unsigned)length, value,
			     (unsigned)value_length);
	}
	if (table_make_finish(&maker, NULL) < 0) made = false;
	cdb_make_finish(&make);
	snprintf(name, sizeof name, "%u records of %u keys", records, keys);
	ok(made, name);
	read_all(own, &got);
	read_all(other, &wanted);
	ok(got.length == wanted.length &&
		   memcmp(got.data, wanted.data, got.length) == 0,
	   "the same bytes as another maker's");
	str_free(&got);
	str_free(&wanted);
	close(own);
	close(other);
}

struct seen {
	char key[LONGEST_KEY];
	size_t length;
};

static size_t first_like(const struct seen *seen, size_t i)
{
	size_t first = 0;

	while (seen[first].length != seen[i].length ||
	       memcmp(seen[first].key, seen[i].key, seen[i].length) != 0)
		first++;
	return first;
}

static void test_repeats(unsigned records, unsigned keys, unsigned long step)
{
	struct table_repeats *repeats = calloc(1, sizeof *repeats);
	struct seen *seen = calloc(records, sizeof *seen);
	int fd = memfd_create("table", MFD_CLOEXEC);
	size_t count = 0, wrong = 0;
	struct table_maker maker;
	char name[80];

	table_make_start(&maker, fd);
	for (unsigned i = 0; i < records; i++) {
		seen[i].length = make_key(seen[i].key, keys);
		table_make_number(repeats, i * step);
		table_make_add(&maker, seen[i].key, seen[i].length, "v", i % 2);
	}
	snprintf(name, sizeof name, "%u records of %u keys, %lu lines apart",
		 records, keys, step);
	is_number(table_make_finish(&maker, repeats), 0, name);
	for (unsigned i = 0; i < records; i++) {
		size_t first = first_like(seen, i);

		if (first == i) continue;
		if (count < TABLE_REPEATS &&
		    (repeats->found[count].record != i * step ||
		     repeats->found[count].first != first * step))
			wrong++;
		count++;
	}
	is_number((long)repeats->count, (long)count, "all repeats are counted");
	is_number((long)repeats->used,
		  (long)(count < TABLE_REPEATS ? count : TABLE_REPEATS),
		  "the earliest are kept");
	is_number((long)wrong, 0, "with the right numbers");
	str_free(&repeats->steps);
	free(repeats);
	free(seen);
	close(fd);
}

static void test_errors(void)
{
	struct table_maker maker;
	char value[10] = "";
	int pipes[2];

	if (pipe(pipes) < 0) abort();
	is_number(table_make_start(&maker, pipes[1]), -1, "not into a pipe");
	close(pipes[0]);
	close(pipes[1]);
	table_make_start(&maker, memfd_create("table", MFD_CLOEXEC));
	is_number(table_make_add(&maker, "k", 1, value, (size_t)1 << 32), -1,
		  "no value of 4 GiB");
	maker.place = 0xfffffff0;
	is_number(table_make_add(&maker, "k", 1, value, 10), -1,
		  "no table of 4 GiB");
	is_number(table_make_add(&maker, "k", 1, value, 1), 0,
		  "up to there it may grow");
	is_number(table_make_finish(&maker, NULL), -1,
		  "but the hash tables need their place");
	close(maker.fd);
}

int main(void)
{
	test_bytes(0, 1);
	test_bytes(1, 1);
	test_bytes(10, 5);
	test_bytes(20000, 1000000);
	test_bytes(20000, 1000);
	test_bytes(5000, 1);
	test_repeats(0, 1, 1);
	test_repeats(1, 1, 1);
	test_repeats(2, 1, 1);
	test_repeats(1000, 1000, 1);
	test_repeats(1000, 10, 0);
	test_repeats(1000, 600, 254);
	test_repeats(1000, 600, 255);
	test_repeats(1000, 600, 256);
	test_repeats(1000, 3, 70000);
	test_errors();
	return done_testing();
}
