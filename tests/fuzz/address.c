/* The argument of MAIL and RCPT: what comes out is within the limit, holds no
   control byte, and what follows lies within the argument. Written again, it is
   read as it was.
   SPDX-License-Identifier: ISC */
#include "mail/address.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void write_again(const char *address)
{
	static struct str written, read;
	const char *parameters;

	str_clear(&written);
	str_append_text(&written, "TO:<");
	if (address_write(&written, address) < 0) {
		if (written.length != strlen("TO:<")) __builtin_trap();
		return;
	}
	str_append_text(&written, "> SIZE=1");
	/* With its quotes it may be over the limit. */
	if (written.length > ADDRESS_LIMIT) return;
	if (address_parse(written.data, &read, &parameters) < 0 ||
	    strcmp(read.data, address) != 0 ||
	    strcmp(parameters, " SIZE=1") != 0)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct str address;
	char *argument = malloc(length + 1);
	const char *parameters, *domain;
	struct net_ip ip;

	memcpy(argument, bytes, length);
	argument[length] = '\0';
	address_literal(argument, &ip);
	if (address_parse(argument, &address, &parameters) == 0) {
		if (address.length >= ADDRESS_LIMIT) __builtin_trap();
		if (strlen(address.data) != address.length) __builtin_trap();
		for (size_t i = 0; i < address.length; i++)
			if ((unsigned char)address.data[i] < 32)
				__builtin_trap();
		if (parameters <= argument ||
		    parameters > argument + strlen(argument))
			__builtin_trap();
		domain = address_domain(address.data);
		if (domain && strchr(domain, '@')) __builtin_trap();
		if (domain) address_literal(domain, &ip);
		write_again(address.data);
	}
	free(argument);
	return 0;
}
