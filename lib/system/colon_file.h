/* Files of lines whose fields are parted by colons: passwd, shadow,
   users/assign, vpasswd. The surprise: the last field that is kept holds the
   rest of its line, colons and all. Empty lines and lines that begin with '#'
   are passed over; a NUL ends its line.
   SPDX-License-Identifier: ISC */
#ifndef SYSTEM_COLON_FILE_H
#define SYSTEM_COLON_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum { COLON_FIELDS = 10 };

/* Start with {0}. */
struct colon_file {
	struct str text;
	size_t at;
	unsigned long line; /* its number, from 1 */
	char *field[COLON_FIELDS];
	size_t fields;
};

/* The whole file, of at most `limit` bytes. 0, or -1 with errno. */
int colon_file_read(struct colon_file *, const char *path, size_t limit);

/* The next line's fields, which stay until the file is closed; those that the
   line does not have are "". */
bool colon_file_next(struct colon_file *);

void colon_file_close(struct colon_file *);

#endif
