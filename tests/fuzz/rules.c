/* Rules, both ways: the bytes as a rules file, whose lines become keys and
   items that can be found again; and the bytes as a compiled file, which may be
   damaged in any way.
   SPDX-License-Identifier: ISC */
#include "mail/rules.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "system/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { MOST_KEYS = 256 };

/* What is found is within the file, and the items are C strings. */
static void read_match(const struct rules_match *match,
		       const struct table *table)
{
	const char *item, *file = (const char *)table->cdb.cdb_mem;
	size_t at = 0;
	bool deny = false;

	if (match->data < file ||
	    match->data + match->data_length > file + table->cdb.cdb_fsize)
		__builtin_trap();
	if (match->key.data[match->key.length]) __builtin_trap();
	while ((item = rules_next_item(match->data, match->data_length, &at))) {
		if (item < match->data ||
		    item + strlen(item) >= match->data + match->data_length)
			__builtin_trap();
		if (*item != 'D' && *item != '+') __builtin_trap();
		deny = deny || *item == 'D';
	}
	if (deny != rules_deny(match->data, match->data_length))
		__builtin_trap();
}

static void ask(const char *path)
{
	static const struct rules_client clients[] = {
		{ "192.0.2.1", "mx.a.example", "me" },
		{ "2001:db8::1", NULL, NULL },
		{ "", "..", "@" },
		{ NULL, NULL, NULL },
	};
	struct rules_match match = { 0 };
	struct table table;

	if (table_open(&table, path) < 0) return;
	for (size_t i = 0; i < sizeof clients / sizeof *clients; i++) {
		if (rules_find(&table, &clients[i], &match) == TABLE_FOUND)
			read_match(&match, &table);
		else if (match.data_length) __builtin_trap();
	}
	table_close(&table);
	str_free(&match.key);
}

static void check_key(const struct rules_rule *rule, const char *key,
		      size_t length)
{
	if (memchr(key, '\0', length) || memchr(key, '\n', length))
		__builtin_trap();
	if (length > rule->address_length + 2) __builtin_trap();
	if (rule->data.length && rule->data.data[rule->data.length - 1])
		__builtin_trap();
}

/* Every rule's items are as many as were read, and it allows or denies. */
static void compile_line(const char *line, size_t length,
			 struct table_maker *maker)
{
	struct rules_rule rule = { 0 };
	enum rules_line kind = rules_parse_line(line, length, &rule);
	const char *key;
	size_t key_length, keys = 0, at = 0, items = 0, nuls = 0;

	if ((kind == RULES_MALFORMED) != (rule.mistake != NULL))
		__builtin_trap();
	if (kind == RULES_NO_COLON && memchr(line, ':', length))
		__builtin_trap();
	if (kind == RULES_RULE) {
		while (rules_next_key(&rule, &key, &key_length)) {
			check_key(&rule, key, key_length);
			if (table_make_add(maker, key, key_length,
					   rule.data.data,
					   rule.data.length) < 0)
				abort();
			keys++;
		}
		while (rules_next_item(rule.data.data, rule.data.length, &at))
			items++;
		for (size_t i = 0; i < rule.data.length; i++)
			if (!rule.data.data[i]) nuls++;
		if (keys > MOST_KEYS || items != nuls) __builtin_trap();
	}
	str_free(&rule.data);
	str_free(&rule.key);
}

static void compile(const char *text, size_t length, int fd)
{
	struct table_maker maker;
	size_t at = 0;

	if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
	    table_make_start(&maker, fd) < 0)
		abort();
	while (at < length) {
		const char *end = memchr(text + at, '\n', length - at);
		size_t line = end ? (size_t)(end - text) - at : length - at;
		char *copy = malloc(line + 1); /* to see a read behind it */

		memcpy(copy, text + at, line);
		copy = realloc(copy, line ? line : 1);
		compile_line(copy, line, &maker);
		free(copy);
		at += line + 1;
	}
	if (table_make_finish(&maker) < 0) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static char path[64];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("rules", MFD_CLOEXEC);
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	}
	if (fd < 0) abort();
	compile((const char *)bytes, length, fd);
	ask(path);
	if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
	    file_write(fd, bytes, length) < 0)
		abort();
	ask(path);
	return 0;
}
