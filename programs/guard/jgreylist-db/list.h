/* What is in the store, on standard output. 0, or -1 when not all could be
   read; that has been said.
   SPDX-License-Identifier: ISC */
#ifndef LIST_H
#define LIST_H

#include "notation.h"
#include "store.h"

/* STATE NETWORK FIRST LAST, a line each. */
int list_entries(struct store *, enum notation);

/* How many there are, and by the day of the first contact. */
int list_counts(struct store *);

/* Each one as the command that makes it in another store. */
int list_commands(struct store *);

#endif
