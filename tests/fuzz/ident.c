/* Ident replies: what is taken is printable, without blanks, and short.
   SPDX-License-Identifier: ISC */
#include "system/ident.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	char info[IDENT_INFO];

	memset(info, 'x', sizeof info);
	if (ident_parse((const char *)bytes, length, info) < 0) return 0;
	if (!memchr(info, '\0', sizeof info) || info[0] == '\0')
		__builtin_trap();
	for (const char *at = info; *at; at++)
		if (*at <= ' ' || *at >= 127) __builtin_trap();
	return 0;
}
