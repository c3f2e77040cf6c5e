/* What the operator changes in the store. Nothing is, unless all words make
   sense; otherwise the program ends with 100. These give the program's exit
   code: EXIT_DONE, or EXIT_TRY_AGAIN when the store failed with some, which has
   been said.
   SPDX-License-Identifier: ISC */
#ifndef CHANGE_H
#define CHANGE_H

#include "store.h"

enum { WAS_ABSENT = 1, WORDS_OF_ENTRY = 3 };

/* They are let in from now on, as if they had come back in time. An entry that
   is older stays so. */
int change_to_known(struct store *, char **clients);

/* WAS_ABSENT when some had no entry. */
int change_to_unknown(struct store *, char **clients);

/* Triples of network, first and last contact: WORDS_OF_ENTRY. */
int change_entries(struct store *, char **words);

#endif
