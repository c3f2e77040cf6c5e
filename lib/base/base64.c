/* SPDX-License-Identifier: ISC */
#include "base/base64.h"

#include <stdint.h>

enum { BITS = 6, MASK = (1 << BITS) - 1 };

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			      "abcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct str *into, const void *bytes, size_t length)
{
	const unsigned char *from = bytes;

	str_reserve(into, length / 3 * 4 + 4);
	for (size_t at = 0; at < length; at += 3) {
		size_t left = length - at;
		uint32_t group = (uint32_t)from[at] << 16;

		if (left > 1) group |= (uint32_t)from[at + 1] << 8;
		if (left > 2) group |= from[at + 2];
		str_append_byte(into, letters[group >> 18]);
		str_append_byte(into, letters[group >> 12 & MASK]);
		str_append_byte(into,
				left > 1 ? letters[group >> 6 & MASK] : '=');
		str_append_byte(into, left > 2 ? letters[group & MASK] : '=');
	}
}

/* The letter's six bits, or more than MASK. Not looked up in a table: what is
   decoded may be a password. */
static uint32_t value_of(char letter)
{
	if (letter >= 'A' && letter <= 'Z') return (uint32_t)(letter - 'A');
	if (letter >= 'a' && letter <= 'z')
		return (uint32_t)(letter - 'a' + 26);
	if (letter >= '0' && letter <= '9')
		return (uint32_t)(letter - '0' + 52);
	if (letter == '+') return 62;
	return letter == '/' ? 63 : MASK + 1;
}

static size_t padding_of(const char *text, size_t length)
{
	if (length == 0 || text[length - 1] != '=') return 0;
	return text[length - 2] == '=' ? 2 : 1;
}

int base64_decode(struct str *into, const char *text, size_t length)
{
	size_t padding, before = into->length;
	uint32_t group = 0;

	if (length % 4 != 0) return -1;
	padding = padding_of(text, length);
	str_reserve(into, length / 4 * 3);
	for (size_t at = 0; at < length - padding; at++) {
		uint32_t value = value_of(text[at]);

		if (value > MASK) break;
		group = group << BITS | value;
		if (at % 4 == 1) str_append_byte(into, (char)(group >> 4));
		if (at % 4 == 2) str_append_byte(into, (char)(group >> 2));
		if (at % 4 == 3) str_append_byte(into, (char)group);
	}
	if (into->length - before == length / 4 * 3 - padding &&
	    !(padding == 1 && group & 3) && !(padding == 2 && group & 15))
		return 0;
	into->length = before;
	into->data[before] = '\0';
	return -1;
}
