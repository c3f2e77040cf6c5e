/* What a program says to its operator: one line on descriptor 2, written with
   one write, in the form "PROGRAM: kind: what was being done: cause".
   When a format ends in a colon, the cause is appended: the text for errno, in
   the words of the ucspi-tcp family where it has some. A line is cut at
   MESSAGE_LIMIT bytes. Bytes from outside are to be passed through
   printable_text (base/str.h) by the caller.
   SPDX-License-Identifier: ISC */
#ifndef BASE_MESSAGE_H
#define BASE_MESSAGE_H

#include <stdarg.h>

enum { MESSAGE_LIMIT = 2048 };

/* The name that messages begin with; each main sets it first. */
extern const char *program_name;

/* "PROGRAM: usage: SYNOPSIS", exit 100. */
_Noreturn void die_usage(const char *synopsis);

/* "PROGRAM: fatal: …", exit 100: it will never work. */
_Noreturn void die_permanent(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* "PROGRAM: fatal: …", exit 111: it may work later. */
_Noreturn void die_temporary(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* "PROGRAM: warning: …" */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "PROGRAM: …": a line that has a form of its own. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The cause in words; a static string, or strerror's. */
const char *error_text(int error);

#endif
