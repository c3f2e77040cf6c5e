/* Signatures in parts: the same is found however a message is cut, only at the
   beginning of a line behind an empty one, and nothing that comes before a part,
   in the header or in other parts, can hide it. The first byte says how long the
   pieces are.
   SPDX-License-Identifier: ISC */
#include "mail/mime_signature.h"

#include <stdint.h>
#include <string.h>

#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const char signatures[] = "TVqQ\0a*b";

static const char *scan(const struct str *message, size_t piece)
{
	static struct mime_signature_scan scan;
	const char *at = message->data;
	size_t left = message->length;

	mime_signature_start(&scan, signatures, sizeof signatures);
	while (left > 0) {
		size_t n = left < piece ? left : piece;

		mime_signature_read(&scan, at, n);
		at += n;
		left -= n;
	}
	return mime_signature_end(&scan);
}

static bool fits(const char *at, const char *end, const char *signature)
{
	for (; *signature; signature++, at++)
		if (at == end || (*signature != '*' && *signature != *at))
			return false;
	return true;
}

/* Whether such a line is there at all. */
static bool is_possible(const struct str *message, const char *signature)
{
	const char *at = message->data, *end = at + message->length;

	for (; at + 1 < end; at++)
		if (*at == '\n' && fits(at + 1, end, signature)) return true;
	return false;
}

static const char *check(const struct str *message, size_t piece)
{
	const char *whole = scan(message, message->length + 1);

	if (scan(message, piece) != whole) __builtin_trap();
	if (whole && !is_possible(message, whole)) __builtin_trap();
	return whole;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const char field[] =
		"\nContent-Type: multipart/x; boundary=QQ\n";
	static const char part[] = "\n--QQ\n\nTVqQ\n";
	struct str message = { 0 };
	size_t piece;

	if (length == 0) return 0;
	piece = 1 + (size_t)bytes[0];
	bytes++;
	length--;
	str_append(&message, bytes, length);
	check(&message, piece);
	/* As the text before the part. */
	str_clear(&message);
	str_append_text(&message, field + 1);
	str_append_byte(&message, '\n');
	str_append(&message, bytes, length);
	str_append_text(&message, part);
	if (!check(&message, piece)) __builtin_trap();
	/* As the header before its field; a CR may be part of an empty line. */
	str_clear(&message);
	str_append_byte(&message, 'x');
	str_append(&message, bytes, length);
	str_append_text(&message, field);
	if (!memmem(message.data, message.length, "\n\n", 2) &&
	    !memchr(message.data, '\r', message.length)) {
		str_append_text(&message, part);
		if (!check(&message, piece)) __builtin_trap();
	}
	str_free(&message);
	return 0;
}
