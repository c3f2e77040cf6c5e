/* SPDX-License-Identifier: ISC */
#include "system/table.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "system/file.h"

/* cdb(5): a pointer for each hash table, and each a list of slots. */
enum { TABLES = 256, POINTER = 8, SLOT = 8, LENGTHS = 8 };

/* The last hash table is the end of the file: a file that was cut off lacks one
   of those that the header names. Without this, most look-ups in it would still
   say "absent". */
static bool is_whole(const struct cdb *cdb)
{
	uint64_t size = cdb->cdb_fsize;

	for (size_t i = 0; i < TABLES; i++) {
		const unsigned char *pointer = cdb->cdb_mem + i * POINTER;
		uint64_t slots = cdb_unpack(pointer + 4);

		if (slots && cdb_unpack(pointer) + slots * SLOT > size)
			return false;
	}
	return true;
}

static int map(struct cdb *cdb, int fd)
{
	if (cdb_init(cdb, fd) < 0) return -1;
	if (is_whole(cdb)) return 0;
	cdb_free(cdb);
	errno = EPROTO;
	return -1;
}

static int start(struct table *table, int fd)
{
	if (map(&table->cdb, fd) == 0) {
		close(fd); /* the mapping stays */
		table->open = true;
		return 0;
	}
	file_close(fd);
	return -1;
}

static int open_file(struct table *table, const char *path)
{
	int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int cause = 0;

	*table = (struct table){ 0 };
	if (fd < 0) return -1;
	if (fstat(fd, &table->file) < 0) cause = errno;
	else if (!S_ISREG(table->file.st_mode)) cause = EPROTO;
	if (!cause) return fd;
	close(fd);
	errno = cause;
	return -1;
}

int table_open(struct table *table, const char *path)
{
	int fd = open_file(table, path);

	return fd < 0 ? -1 : start(table, fd);
}

static int copy_whole(int from, int to, off_t size)
{
	off_t done = 0;

	while (done < size) {
		ssize_t n = sendfile(to, from, &done, (size_t)(size - done));

		if (n < 0 && errno != EINTR) return -1;
		if (n == 0) {
			errno = EPROTO; /* it shrank under us */
			return -1;
		}
	}
	return 0;
}

int table_open_copy(struct table *table, const char *path)
{
	int fd = open_file(table, path);
	int copy;

	if (fd < 0) return -1;
	copy = memfd_create("table", MFD_CLOEXEC);
	if (copy >= 0 && copy_whole(fd, copy, table->file.st_size) == 0) {
		close(fd);
		return start(table, copy);
	}
	if (copy >= 0) file_close(copy);
	file_close(fd);
	return -1;
}

/* A file's ctime moves with its bytes, with its mtime and with its mode. */
bool table_is_outdated(const struct table *table, const char *path)
{
	struct stat now;

	if (!table->open || stat(path, &now) < 0) return true;
	return now.st_ino != table->file.st_ino ||
	       now.st_dev != table->file.st_dev ||
	       now.st_size != table->file.st_size ||
	       now.st_ctim.tv_sec != table->file.st_ctim.tv_sec ||
	       now.st_ctim.tv_nsec != table->file.st_ctim.tv_nsec;
}

void table_close(struct table *table)
{
	if (table->open) cdb_free(&table->cdb);
	table->open = false;
}

enum table_answer table_find(struct table *table, const void *key,
			     size_t length, const char **value,
			     size_t *value_length)
{
	int found;

	if (length > UINT_MAX) return TABLE_ABSENT;
	found = cdb_find(&table->cdb, key, (unsigned)length);
	if (found == 0) return TABLE_ABSENT;
	if (found < 0) return TABLE_FAILED;
	*value_length = cdb_datalen(&table->cdb);
	*value = cdb_get(&table->cdb, cdb_datalen(&table->cdb),
			 cdb_datapos(&table->cdb));
	return *value ? TABLE_FOUND : TABLE_FAILED;
}

enum table_answer table_find_once(struct table *table, const void *key,
				  size_t length, const char **value,
				  size_t *value_length)
{
	if (!table->asked_once) {
		table->asked_once = true;
		table->answer = table_find(table, key, length, &table->value,
					   &table->value_length);
	}
	*value = table->value;
	*value_length = table->value_length;
	return table->answer;
}

static enum table_answer record_at(const struct cdb *cdb, unsigned at,
				   struct table_record *record)
{
	const unsigned char *lengths = cdb_get(cdb, LENGTHS, at);

	if (!lengths) return TABLE_FAILED;
	record->key_length = cdb_unpack(lengths);
	record->value_length = cdb_unpack(lengths + 4);
	at += LENGTHS;
	record->key = cdb_get(cdb, (unsigned)record->key_length, at);
	at += (unsigned)record->key_length;
	if (!record->key) return TABLE_FAILED;
	record->value = cdb_get(cdb, (unsigned)record->value_length, at);
	return record->value ? TABLE_FOUND : TABLE_FAILED;
}

/* Half of the slots are empty, and point to 0. That all of them are in the file
   was seen when it was opened. */
enum table_answer table_pick(struct table *table, uint64_t number,
			     struct table_record *record)
{
	const struct cdb *cdb = &table->cdb;

	for (uint64_t i = 0; i < TABLES; i++) {
		const unsigned char *pointer =
			cdb->cdb_mem + (number + i) % TABLES * POINTER;
		uint64_t first = cdb_unpack(pointer);
		uint64_t slots = cdb_unpack(pointer + 4);

		for (uint64_t j = 0; j < slots; j++) {
			uint64_t slot = (number / TABLES + j) % slots;
			unsigned at = cdb_unpack(cdb->cdb_mem + first +
						 slot * SLOT + 4);

			if (at) return record_at(cdb, at, record);
		}
	}
	return TABLE_ABSENT;
}

enum table_answer table_next(struct table *table, unsigned *at,
			     struct table_record *record)
{
	struct cdb *cdb = &table->cdb;
	int found;

	if (*at == 0) cdb_seqinit(at, cdb);
	found = cdb_seqnext(at, cdb);
	if (found == 0) return TABLE_ABSENT;
	if (found < 0) return TABLE_FAILED;
	record->key_length = cdb_keylen(cdb);
	record->key = cdb_get(cdb, cdb_keylen(cdb), cdb_keypos(cdb));
	record->value_length = cdb_datalen(cdb);
	record->value = cdb_get(cdb, cdb_datalen(cdb), cdb_datapos(cdb));
	return record->key && record->value ? TABLE_FOUND : TABLE_FAILED;
}
