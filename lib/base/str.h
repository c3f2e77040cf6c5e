/* A growable byte string. It holds any bytes; `data` is always followed by a
   NUL, so it also serves as a C string when it holds none itself. Running out
   of memory ends the process with `str_memory_exit` (111: temporary to every
   caller), so no call can fail. Start with `struct str s = {0}`.
   SPDX-License-Identifier: ISC */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stddef.h>

struct str {
	char *data;
	size_t length;
	size_t room;
};

/* What out of memory exits with; a queue program sets its own code. */
extern int str_memory_exit;

/* Called first, when set: a last word to a client and to the log. It does not come
   back, and must not need memory. */
extern void (*str_memory_farewell)(void);

/* That end itself, for those who need memory of another kind. */
_Noreturn void str_die_of_memory(void);

/* Room for `more` bytes behind the present ones, and a NUL. */
void str_reserve(struct str *, size_t more);
void str_append(struct str *, const void *bytes, size_t length);
void str_append_text(struct str *, const char *text);
void str_append_byte(struct str *, char byte);
void str_append_number(struct str *, unsigned long number);

/* Empty, keeping its memory. */
void str_clear(struct str *);
void str_free(struct str *);

/* Bytes from outside made fit for a log, a reply or a header: each one below
   33 or above 126 becomes '?' (a space stays where `printable_text` is used). */
void str_append_printable(struct str *, const void *bytes, size_t length);

/* The same for a C string, into the caller's room, cut and ended by "..." when
   it is too long. Returns `room`. */
const char *printable_text(char *room, size_t size, const char *text);

/* And for bytes that may hold a NUL. */
const char *printable_bytes(char *room, size_t size, const void *bytes,
			    size_t length);

#endif
