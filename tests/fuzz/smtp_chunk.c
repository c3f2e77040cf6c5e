/* BDAT: the argument against a reader that knows no limits, the text behind it
   against one that has it whole. The input's first line is the argument, and its
   first byte says how long the pieces of the rest are.
   SPDX-License-Identifier: ISC */
#include "mail/smtp_chunk.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* A size is what comes out again as it was, but for zeros in front. */
static void check_size(const char *argument)
{
	struct smtp_chunk_size size = { 0 };
	const char *at = argument + strspn(argument, " ");
	uint64_t place = 1;
	size_t digits;

	if (smtp_chunk_parse(argument, &size) < 0) return;
	digits = strspn(at, "0123456789");
	if (digits == 0) __builtin_trap();
	while (digits > 20 && *at == '0') {
		at++;
		digits--;
	}
	if (digits > 20) __builtin_trap();
	for (size_t i = digits; i-- > 0; place *= 10)
		size.bytes -= (uint64_t)(at[i] - '0') * place;
	if (size.bytes != 0) __builtin_trap();
	at += digits;
	if (*at && *at != ' ') __builtin_trap();
	at += strspn(at, " ");
	if (size.is_last != (strncasecmp(at, "last", 4) == 0)) __builtin_trap();
	if (size.is_last) at += 4;
	if (at[strspn(at, " ")]) __builtin_trap();
}

static size_t decode_whole(const uint8_t *bytes, size_t length, char *text)
{
	size_t made = 0;

	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '\r' && i + 1 < length && bytes[i + 1] == '\n')
			continue;
		text[made++] = (char)bytes[i];
	}
	if (made > 0 && text[made - 1] != '\n') text[made++] = '\n';
	return made;
}

static size_t decode_pieces(const uint8_t *bytes, size_t length, size_t piece,
			    char *text)
{
	struct smtp_chunk chunk = { 0 };
	size_t made = 0;

	while (length > 0) {
		size_t n = length < piece ? length : piece, more;
		char *room = malloc(SMTP_CHUNK_GROWTH + n);

		memcpy(room + SMTP_CHUNK_GROWTH, bytes, n);
		more = smtp_chunk_decode(&chunk, room + SMTP_CHUNK_GROWTH, n,
					 room);
		if (more > n + SMTP_CHUNK_GROWTH) __builtin_trap();
		memcpy(text + made, room, more);
		made += more;
		bytes += n;
		length -= n;
		free(room);
	}
	return made + smtp_chunk_end(&chunk, text + made);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const uint8_t *line_end = memchr(bytes, '\n', length);
	size_t line = line_end ? (size_t)(line_end - bytes) : length;
	char *argument, *whole, *pieces;
	size_t piece, made;

	if (length == 0) return 0;
	argument = malloc(line + 1);
	memcpy(argument, bytes, line);
	argument[line] = '\0';
	check_size(argument);
	free(argument);
	piece = 1 + bytes[0] % 64;
	if (!line_end) return 0;
	bytes += line + 1;
	length -= line + 1;
	whole = malloc(length + SMTP_CHUNK_END_GROWTH);
	pieces = malloc(length + SMTP_CHUNK_END_GROWTH);
	made = decode_whole(bytes, length, whole);
	if (decode_pieces(bytes, length, piece, pieces) != made ||
	    memcmp(whole, pieces, made) != 0)
		__builtin_trap();
	free(whole);
	free(pieces);
	return 0;
}
