/* SPDX-License-Identifier: ISC */
#include "mail/mime_decode.h"

#include <string.h>

#include "base/parse.h"

enum { BITS = 6, MASK = 63, FOREIGN = 64 };

static unsigned base64_value(char letter)
{
	if (letter >= 'A' && letter <= 'Z') return (unsigned)(letter - 'A');
	if (letter >= 'a' && letter <= 'z')
		return (unsigned)(letter - 'a' + 26);
	if (letter >= '0' && letter <= '9')
		return (unsigned)(letter - '0' + 52);
	if (letter == '+') return 62;
	return letter == '/' ? 63 : FOREIGN;
}

/* Every letter but the first of four ends a byte. */
static size_t add_letter(struct mime_decoder *decoder, char *into,
			 unsigned value)
{
	decoder->group = decoder->group << BITS | value;
	decoder->count = (decoder->count + 1) % 4;
	if (decoder->count == 1) return 0;
	*into = (char)(decoder->group >> ((4 - decoder->count) % 4 * 2));
	return 1;
}

/* Behind '=' something else may begin. */
static size_t decode_base64(struct mime_decoder *decoder, char *into,
			    const char *text, size_t length)
{
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned value = base64_value(text[i]);

		if (value <= MASK)
			used += add_letter(decoder, into + used, value);
		else if (text[i] == '=') decoder->count = 0;
	}
	return used;
}

/* The first letter of a line says how many bytes it stands for. */
static size_t decode_uuencode(struct mime_decoder *decoder, char *into,
			      const char *text, size_t length)
{
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned value = (unsigned)(text[i] - ' ') & MASK;

		if (text[i] == '\n') {
			decoder->count = decoder->left = 0;
			decoder->in_line = false;
		} else if (!decoder->in_line) {
			decoder->in_line = true;
			decoder->left = value;
		} else if (decoder->left > 0) {
			size_t n = add_letter(decoder, into + used, value);

			used += n;
			decoder->left -= (unsigned)n;
		}
	}
	return used;
}

static unsigned hex_value(char digit)
{
	digit = parse_lower(digit);
	if (digit >= '0' && digit <= '9') return (unsigned)(digit - '0');
	if (digit >= 'a' && digit <= 'f') return (unsigned)(digit - 'a' + 10);
	return FOREIGN;
}

/* The byte behind '='; `count` bytes are held. */
static size_t decode_held(struct mime_decoder *decoder, char *into, char byte)
{
	unsigned high, low;
	size_t count = decoder->count;

	/* A line that goes on in the next, though blanks may be behind it. */
	if (count == 1 && (byte == ' ' || byte == '\t' || byte == '\r'))
		return 0;
	if (count == 1 && byte == '=') {
		*into = '=';
		return 1;
	}
	if (count == 1 && byte != '\n') {
		decoder->held[1] = byte;
		decoder->count = 2;
		return 0;
	}
	decoder->count = 0;
	if (count == 1) return 0;
	high = hex_value(decoder->held[1]);
	low = hex_value(byte);
	if (high <= 15 && low <= 15) {
		*into = (char)(high << 4 | low);
		return 1;
	}
	memcpy(into, decoder->held, count);
	if (byte == '=') {
		decoder->count = 1;
		return count;
	}
	into[count] = byte;
	return count + 1;
}

static size_t decode_quoted_printable(struct mime_decoder *decoder, char *into,
				      const char *text, size_t length)
{
	size_t used = 0;

	for (size_t i = 0; i < length; i++)
		if (decoder->count > 0)
			used += decode_held(decoder, into + used, text[i]);
		else if (text[i] == '=') {
			decoder->held[0] = '=';
			decoder->count = 1;
		} else {
			into[used++] = text[i];
		}
	return used;
}

size_t mime_decode(struct mime_decoder *decoder, char *into, const char *text,
		   size_t length)
{
	switch (decoder->encoding) {
	case MIME_BASE64: return decode_base64(decoder, into, text, length);
	case MIME_QUOTED_PRINTABLE:
		return decode_quoted_printable(decoder, into, text, length);
	case MIME_UUENCODE: return decode_uuencode(decoder, into, text, length);
	case MIME_AS_IT_IS: break;
	}
	memcpy(into, text, length);
	return length;
}
