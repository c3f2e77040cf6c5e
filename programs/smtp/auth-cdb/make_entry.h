/* Makes what stands in auth.cdb for a password.
   SPDX-License-Identifier: ISC */
#ifndef MAKE_ENTRY_H
#define MAKE_ENTRY_H

/* Reads a line from standard input, or asks for it twice where that is a
   terminal, and prints the entry. `cost` is a number, or NULL for the usual one.
   Dies, 2, when there is no such kind, cost or password. */
void make_entry(const char *kind, const char *cost);

#endif
