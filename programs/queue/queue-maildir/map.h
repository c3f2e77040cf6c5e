/* Which Maildir a recipient's mail goes to: maildirs(5), compiled into a cdb.
   A key is an address in lower case, "@domain", or nothing for all the others;
   its value is the Maildir's absolute path.
   SPDX-License-Identifier: ISC */
#ifndef QUEUE_MAILDIR_MAP_H
#define QUEUE_MAILDIR_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "system/table.h"

enum { MAILDIR_PATH_LIMIT = 3500 }; /* leaves room in PATH_MAX for names */

struct map {
	struct table table;
	struct str key;
	const char *fallback; /* NULL: none */
};

/* An absolute path, short enough, of a Maildir? */
bool path_is_usable(const char *path, size_t length);

/* The Maildir's path, which stays, with its length. FAILED: the table is
   damaged, or names a path that is none. */
enum table_answer map_find(struct map *, const char *recipient,
			   const char **path, size_t *length);

/* Compiles the text on standard input into the file; ends the process. */
_Noreturn void map_compile(const char *path);

#endif
