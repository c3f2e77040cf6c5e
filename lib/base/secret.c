/* SPDX-License-Identifier: ISC */
#include "base/secret.h"

bool secret_equals(const void *a, const void *b, size_t length)
{
	const volatile unsigned char *one = a, *other = b;
	unsigned char difference = 0;

	for (size_t i = 0; i < length; i++)
		difference |= (unsigned char)(one[i] ^ other[i]);
	return difference == 0;
}
