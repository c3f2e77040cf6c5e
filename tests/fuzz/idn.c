/* Domains beyond ASCII: what comes out is ASCII, no longer than a name, with as
   many labels; what is ASCII stays as it is.
   SPDX-License-Identifier: ISC */
#include "mail/idn.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static size_t dots(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		if (*text == '.') count++;
	return count;
}

static int is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 128) return 0;
	return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	char *domain = malloc(length + 1), ascii[DNS_NAME];

	if (!domain) return 0;
	memcpy(domain, bytes, length);
	domain[length] = '\0';
	if (idn_to_ascii(domain, ascii) < 0) {
		if (*ascii) __builtin_trap();
	} else {
		if (strlen(ascii) >= sizeof ascii) __builtin_trap();
		if (!is_ascii(ascii) || dots(ascii) != dots(domain))
			__builtin_trap();
		if (is_ascii(domain) && strcmp(domain, ascii) != 0)
			__builtin_trap();
	}
	free(domain);
	return 0;
}
