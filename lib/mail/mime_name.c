/* SPDX-License-Identifier: ISC */
#include "mail/mime_name.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "mail/mime_decode.h"

enum { WORD_AT_ONCE = 256, ESCAPE = 27 };

/* What is written. When there is no room, the first half goes: the end of a name
   is what says how it is opened. */
struct name {
	char *bytes;
	size_t length;
};

static void put(struct name *name, unsigned long byte)
{
	if (name->length == MIME_NAME) {
		name->length = MIME_NAME / 2;
		memcpy(name->bytes, name->bytes + MIME_NAME / 2, MIME_NAME / 2);
	}
	name->bytes[name->length++] = (char)byte;
}

/* A character of at most 16 bits, in UTF-8. */
static void put_character(struct name *name, unsigned long character)
{
	if (character < 0x80) {
		put(name, character);
	} else if (character < 0x800) {
		put(name, 0xc0 | character >> 6);
		put(name, 0x80 | (character & 0x3f));
	} else {
		put(name, 0xe0 | character >> 12);
		put(name, 0x80 | (character >> 6 & 0x3f));
		put(name, 0x80 | (character & 0x3f));
	}
}

/* The words of RFC 2047. */

/* "+AC4-" is a dot (RFC 2152): base64 of pairs of bytes, behind a '+'. */
static void put_utf7(struct name *name, const char *text, size_t length)
{
	struct mime_decoder decoder = { .encoding = MIME_BASE64 };
	bool in_base64 = false;
	unsigned long character = 0;
	unsigned count = 0;

	for (size_t i = 0; i < length; i++) {
		char byte[1 + MIME_DECODE_EXTRA];

		if (!in_base64) {
			in_base64 = text[i] == '+';
			if (!in_base64) put(name, (unsigned char)text[i]);
			decoder.count = count = 0;
		} else if (text[i] == '-') {
			in_base64 = false;
			if (text[i - 1] == '+') put(name, '+');
		} else if (mime_decode(&decoder, byte, text + i, 1) > 0) {
			character = character << 8 | (unsigned char)*byte;
			if (++count % 2 == 0)
				put_character(name, character & 0xffff);
		}
	}
}

static void put_text(struct name *name, const char *charset, const char *text,
		     size_t length)
{
	if (strncasecmp(charset, "utf-7", 5) == 0) {
		put_utf7(name, text, length);
		return;
	}
	for (size_t i = 0; i < length; i++) put(name, (unsigned char)text[i]);
}

/* In "Q", '_' is a blank (RFC 2047 section 4.2). */
static void put_word(struct name *name, const char *charset, bool is_base64,
		     const char *text, size_t length)
{
	struct mime_decoder decoder = {
		.encoding = is_base64 ? MIME_BASE64 : MIME_QUOTED_PRINTABLE
	};
	char bytes[WORD_AT_ONCE + MIME_DECODE_EXTRA];

	while (length > 0) {
		size_t n = length < WORD_AT_ONCE ? length : WORD_AT_ONCE;
		size_t used = mime_decode(&decoder, bytes, text, n);

		for (size_t i = 0; !is_base64 && i < used; i++)
			if (bytes[i] == '_') bytes[i] = ' ';
		put_text(name, charset, bytes, used);
		text += n;
		length -= n;
	}
}

/* "=?charset?B?text?=", which may lack its end; `*at` moves behind it. */
static bool read_word(struct name *name, const char **at, const char *end)
{
	const char *charset = *at + 2, *text, *stop;
	char kind;

	if (end - *at < 7 || memcmp(*at, "=?", 2) != 0) return false;
	text = memchr(charset, '?', (size_t)(end - charset));
	if (!text || end - text < 3 || text[2] != '?') return false;
	kind = parse_lower(text[1]);
	if (kind != 'b' && kind != 'q') return false;
	text += 3;
	for (stop = text; stop < end && *stop != '?'; stop++)
		;
	put_word(name, charset, kind == 'b', text, (size_t)(stop - text));
	*at = end - stop > 1 && stop[1] == '=' ? stop + 2 : stop + (stop < end);
	return true;
}

/* Blanks between two words do not count. */
static void decode_words(struct name *name, const char *at, const char *end)
{
	while (at < end) {
		const char *next;

		if (!read_word(name, &at, end)) {
			put(name, (unsigned char)*at++);
			continue;
		}
		for (next = at; next < end && strchr(" \t", *next); next++)
			;
		if (end - next > 1 && memcmp(next, "=?", 2) == 0) at = next;
	}
}

/* What is left of it. */

/* Those that nobody sees, or that turn the direction of writing. */
static bool is_invisible(unsigned long character)
{
	return character < 0x20 || (character >= 0x7f && character < 0xa0) ||
	       character == 0xad || character == 0x61c || character == 0x180e ||
	       (character >= 0x200b && character <= 0x200f) ||
	       (character >= 0x202a && character <= 0x202e) ||
	       (character >= 0x2060 && character <= 0x206f) ||
	       (character >= 0xfe00 && character <= 0xfe0f) ||
	       character == 0xfeff;
}

/* The character at `at` in UTF-8, of two or three bytes even where fewer would
   have done; how many bytes it has, 1 when it is none. */
static size_t read_character(const unsigned char *at, size_t length,
			     unsigned long *character)
{
	*character = '?';
	if (at[0] < 0x80) {
		*character = at[0];
	} else if (length > 1 && (at[0] & 0xe0) == 0xc0 &&
		   (at[1] & 0xc0) == 0x80) {
		*character = (at[0] & 0x1fUL) << 6 | (at[1] & 0x3fUL);
		return 2;
	} else if (length > 2 && (at[0] & 0xf0) == 0xe0 &&
		   (at[1] & 0xc0) == 0x80 && (at[2] & 0xc0) == 0x80) {
		*character = (at[0] & 0xfUL) << 12 | (at[1] & 0x3fUL) << 6 |
			     (at[2] & 0x3fUL);
		return 3;
	}
	return 1;
}

/* ESC, and what belongs to it (ISO 2022): it only says what the next bytes mean. */
static size_t escape_length(const unsigned char *at, size_t length)
{
	size_t n = 1;

	while (n < length && at[n] >= 0x20 && at[n] <= 0x2f) n++;
	return n < length ? n + 1 : n;
}

/* In place: nothing gets longer. */
static size_t make_harmless(char *bytes, size_t length)
{
	const unsigned char *at = (const unsigned char *)bytes;
	size_t used = 0;

	for (size_t i = 0; i < length;) {
		unsigned long character;
		size_t n = read_character(at + i, length - i, &character);

		if (at[i] == ESCAPE) n = escape_length(at + i, length - i);
		if (character >= 0xff01 && character <= 0xff5e)
			character -= 0xff01 - '!';
		if (character == 0x2024) character = '.';
		if (character < 0x80 && (n > 1 || at[i] < 0x80)) {
			if (!is_invisible(character))
				bytes[used++] = (char)character;
		} else if (n == 1 || !is_invisible(character)) {
			memmove(bytes + used, bytes + i, n);
			used += n;
		}
		i += n;
	}
	return used;
}

/* Without what Windows does not store, or a reader of mail leaves out, at its
   ends. */
static size_t trim(char *name, size_t length)
{
	const char *stream = memmem(name, length, "::$", 3);
	size_t at = 0;

	if (stream) length = (size_t)(stream - name);
	while (length > 0 && strchr(" .\t\"'`<>;:/\\", name[length - 1]))
		length--;
	while (at < length && strchr(" \t\"'`<", name[at])) at++;
	memmove(name, name + at, length - at);
	return length - at;
}

size_t mime_name_decode(char *bytes, const char *value, size_t length)
{
	struct name name = { .bytes = bytes };

	decode_words(&name, value, value + length);
	return trim(bytes, make_harmless(bytes, name.length));
}

/* RFC 2231. */

static unsigned hex_value(char digit)
{
	digit = parse_lower(digit);
	if (digit >= '0' && digit <= '9') return (unsigned)(digit - '0');
	if (digit >= 'a' && digit <= 'f') return (unsigned)(digit - 'a' + 10);
	return 16;
}

size_t mime_name_decode_percent(char *value, size_t length)
{
	const char *at = value, *end = value + length;
	const char *quote = memchr(at, '\'', length);
	char *to = value;

	if (quote) quote = memchr(quote + 1, '\'', (size_t)(end - quote - 1));
	if (quote) at = quote + 1;
	while (at < end) {
		unsigned high = end - at > 2 ? hex_value(at[1]) : 16;
		unsigned low = end - at > 2 ? hex_value(at[2]) : 16;

		if (*at == '%' && high < 16 && low < 16) {
			*to++ = (char)(high << 4 | low);
			at += 3;
		} else {
			*to++ = *at++;
		}
	}
	return (size_t)(to - value);
}

void mime_name_start(struct mime_name_pieces *pieces)
{
	pieces->count = pieces->used = pieces->next = 0;
	pieces->is_encoded = pieces->is_cut = false;
}

void mime_name_add(struct mime_name_pieces *pieces, unsigned kind,
		   unsigned number, bool is_encoded, const char *value,
		   size_t length)
{
	struct mime_name_piece *piece;

	if (length > MIME_NAME) {
		value += length - MIME_NAME;
		length = MIME_NAME;
	}
	if (pieces->count == MIME_NAME_PIECES ||
	    length > sizeof pieces->bytes - pieces->used) {
		pieces->count = pieces->used = 0;
		pieces->is_cut = true;
	}
	if (is_encoded) pieces->is_encoded = true;
	piece = &pieces->pieces[pieces->count++];
	piece->kind = (unsigned short)kind;
	piece->number = (unsigned short)number;
	piece->at = (unsigned short)pieces->used;
	piece->length = (unsigned short)length;
	memcpy(pieces->bytes + pieces->used, value, length);
	pieces->used += length;
}

/* Those that came first stay first; they are few, and nearly in order. */
static void sort(struct mime_name_piece *pieces, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct mime_name_piece piece = pieces[i];
		size_t to = i;

		for (; to > 0 && (pieces[to - 1].kind > piece.kind ||
				  (pieces[to - 1].kind == piece.kind &&
				   pieces[to - 1].number > piece.number));
		     to--)
			pieces[to] = pieces[to - 1];
		pieces[to] = piece;
	}
}

/* Does the name go on, without a doubt, behind that piece? */
static bool goes_on(const struct mime_name_pieces *pieces, size_t i)
{
	const struct mime_name_piece *piece = &pieces->pieces[i];

	return i + 1 < pieces->count && piece[1].kind == piece->kind &&
	       piece[1].number == piece->number + 1;
}

bool mime_name_join(struct mime_name_pieces *pieces, char *value,
		    size_t *length)
{
	struct name name = { .bytes = value, .length = *length };

	if (pieces->next == 0) {
		sort(pieces->pieces, pieces->count);
		name.length = 0;
	}
	while (pieces->next < pieces->count) {
		size_t i = pieces->next++;
		const struct mime_name_piece *piece = &pieces->pieces[i];

		if (i > 0 && piece->kind != piece[-1].kind) name.length = 0;
		for (size_t j = 0; j < piece->length; j++)
			put(&name, (unsigned char)pieces->bytes[piece->at + j]);
		*length = name.length;
		if (!goes_on(pieces, i)) return true;
	}
	mime_name_start(pieces);
	return false;
}
