/* Base64 as SASL writes it (RFC 4648, section 4): padded, with no blanks and no
   line ends.
   SPDX-License-Identifier: ISC */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>

#include "base/str.h"

void base64_encode(struct str *into, const void *bytes, size_t length);

/* Appends what the text stands for. -1, with nothing appended, when it is no
   base64: a foreign byte, a wrong length, padding in the middle, or bits that
   stand for nothing. The string moves at most once, before the first byte. */
int base64_decode(struct str *into, const char *text, size_t length);

#endif
