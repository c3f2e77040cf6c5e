/* SPDX-License-Identifier: ISC */
#include "secret.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/message.h"
#include "base/str.h"
#include "mail/auth_entry.h"
#include "system/table.h"

enum { SECRET_BYTES = 32, SHORTEST = 1 + SECRET_BYTES };

/* Who could put a file of his own there would know its secret. */
static bool is_ours(const struct table *table)
{
	return table->file.st_uid == geteuid();
}

static bool take_old(struct str *secret, const char *path)
{
	struct table table = { 0 };
	const char *value;
	size_t length = 0;
	bool has_one;

	if (table_open(&table, path) < 0) return false;
	has_one = is_ours(&table) &&
		  table_find(&table, AUTH_ENTRY_STRANGERS,
			     AUTH_ENTRY_STRANGERS_LENGTH, &value,
			     &length) == TABLE_FOUND &&
		  length >= SHORTEST && *value == '*';
	if (has_one) str_append(secret, value, length);
	table_close(&table);
	return has_one;
}

static void draw(struct str *secret)
{
	unsigned char bytes[SECRET_BYTES];

	if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
		die_temporary("unable to draw a number:");
	str_append_byte(secret, '*');
	base64_encode(secret, bytes, sizeof bytes);
}

void add_secret(struct record_list *logins, const char *path)
{
	const char *said = getenv("CDB_REFRESH_TABLE");
	struct str secret = { 0 };

	/* A table of nobody must look like one: it is no table to refresh with. */
	if (logins->count == 0) return;
	if (!take_old(&secret, said && *said ? said : path)) draw(&secret);
	record_list_add(logins, AUTH_ENTRY_STRANGERS,
			AUTH_ENTRY_STRANGERS_LENGTH, secret.data,
			secret.length);
	str_free(&secret);
}
