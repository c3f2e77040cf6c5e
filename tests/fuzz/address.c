/* The argument of MAIL and RCPT: what comes out is within the limit, holds no
   control byte, and what follows lies within the argument.
   SPDX-License-Identifier: ISC */
#include "mail/address.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

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
	}
	free(argument);
	return 0;
}
