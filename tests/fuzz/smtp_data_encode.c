/* A message on its way to the next server: what is made of it does not depend on
   the cuts, holds no line end but CRLF and one end, its last bytes, and is the
   message when it is decoded. The first byte says how long the pieces are.
   SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/smtp_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static size_t encode(const uint8_t *bytes, size_t length, size_t piece,
		     char *wire)
{
	struct smtp_data_encoder encoder = { 0 };
	size_t made = 0;

	while (length > 0) {
		size_t n = length < piece ? length : piece, more;
		char *room = malloc(2 * n + SMTP_DATA_ENCODED);
		char *from = malloc(n);

		memcpy(from, bytes, n);
		more = smtp_data_encode(&encoder, from, n, room);
		if (more > 2 * n + SMTP_DATA_ENCODED) __builtin_trap();
		memcpy(wire + made, room, more);
		made += more;
		bytes += n;
		length -= n;
		free(from);
		free(room);
	}
	return made + smtp_data_encode_end(&encoder, wire + made);
}

/* What the message is said to become. */
static size_t expect(const uint8_t *bytes, size_t length, char *text)
{
	size_t made = 0;

	for (size_t i = 0; i < length; i++) {
		char byte = (char)bytes[i];

		if (byte == '\r' && i + 1 < length && bytes[i + 1] == '\n')
			continue;
		text[made++] = byte == '\r' ? ' ' : byte;
	}
	if (made > 0 && text[made - 1] != '\n') text[made++] = '\n';
	return made;
}

static void check_line_ends(const char *wire, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (wire[i] == '\r' && (i + 1 == length || wire[i + 1] != '\n'))
			__builtin_trap();
		if (wire[i] == '\n' && (i == 0 || wire[i - 1] != '\r'))
			__builtin_trap();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct smtp_data data = { .bare_lf = SMTP_DATA_BARE_LF_STOPS };
	size_t piece, made, used, decoded, wanted;
	char *wire, *again, *text;

	if (length == 0) return 0;
	piece = 1 + bytes[0] % 64;
	bytes++;
	length--;
	wire = malloc(2 * length + 64);
	again = malloc(2 * length + 64);
	text = malloc(length + 1);
	made = used = encode(bytes, length, length + 1, wire);
	if (encode(bytes, length, piece, again) != made ||
	    memcmp(wire, again, made) != 0)
		__builtin_trap();
	check_line_ends(wire, made);
	memcpy(again + SMTP_DATA_GROWTH, wire, made);
	if (smtp_data_decode(&data, again + SMTP_DATA_GROWTH, &used, again,
			     &decoded) != SMTP_DATA_END ||
	    used != made)
		__builtin_trap();
	wanted = expect(bytes, length, text);
	if (decoded != wanted || memcmp(again, text, wanted) != 0)
		__builtin_trap();
	free(wire);
	free(again);
	free(text);
	return 0;
}
