/* Numbers and words out of text.
   SPDX-License-Identifier: ISC */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include <stdbool.h>
#include <stddef.h>

/* The whole text as a decimal number within the bounds: digits only, no sign,
   no blanks. 0 and the number, or -1 with EINVAL or ERANGE. */
int parse_number(const char *text, unsigned long minimum, unsigned long maximum,
		 unsigned long *number);

/* The number of a descriptor, as one program names it to the next: above that
   of standard error. Whether it is open is not looked at. -1 with EINVAL when
   the text is none, or NULL. */
int parse_descriptor(const char *text);

/* The lenient form, for settings in the environment and in control files, as
   qmail reads them: the leading digits count, what follows is ignored, no
   digit at all leaves `*number` alone and gives false. Too large is ULONG_MAX. */
bool parse_leading_number(const char *text, unsigned long *number);

/* A flag in the environment: set, and a number above 0. */
bool parse_flag(const char *text);

/* What stands before the mark, which becomes a NUL; `*rest` begins behind it.
   NULL when there is no mark, and then nothing has changed. */
char *parse_cut(char **rest, char mark);

/* A capital letter of ASCII as a small one; any other byte as it is. */
char parse_lower(char byte);

/* The bytes `a` equal the C string `b`, in any case of ASCII letters. */
bool parse_same_word(const char *a, size_t length, const char *b);

#endif
