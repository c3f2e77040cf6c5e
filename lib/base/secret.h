/* What an attacker must not learn from the time that something takes. Wiping is
   libc's explicit_bzero.
   SPDX-License-Identifier: ISC */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* The same bytes? It takes as long wherever the first difference is. */
bool secret_equals(const void *a, const void *b, size_t length);

#endif
