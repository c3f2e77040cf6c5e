/* The text behind DATA against a reader that takes one byte after the other:
   same text, same end, in place and however it is cut. The first byte says how
   long the pieces are.
   SPDX-License-Identifier: ISC */
#include "mail/smtp_data.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct result {
	enum smtp_data_state state;
	size_t used;
	size_t made;
	char *text;
};

static void give(struct result *r, char byte)
{
	r->text[r->made++] = byte;
}

/* As the definition says it, with the last bytes of the input looked at. */
static void read_slowly(struct result *r, const uint8_t *bytes, size_t length)
{
	size_t at = 0;

	while (at < length) {
		size_t start = at;

		/* One line: up to an LF, or what is there. */
		while (at < length && bytes[at] != '\n') at++;
		r->used = at;
		if (at - start == 2 && at < length && bytes[start] == '.' &&
		    bytes[start + 1] == '\r') {
			r->used = at + 1;
			r->state = SMTP_DATA_END;
			return;
		}
		if (start < at && bytes[start] == '.' &&
		    !(at - start > 2 && bytes[start + 1] == '\r'))
			start++;
		if (at == length) {
			/* A last CR may yet belong to an LF. */
			size_t end = at > start && bytes[at - 1] == '\r'
					     ? at - 1
					     : at;
			while (start < end) give(r, (char)bytes[start++]);
			return;
		}
		if (at == start || bytes[at - 1] != '\r') {
			while (start < at) give(r, (char)bytes[start++]);
			r->state = SMTP_DATA_BARE_LF;
			return;
		}
		while (start < at - 1) give(r, (char)bytes[start++]);
		give(r, '\n');
		r->used = ++at;
	}
}

static void read_in_pieces(struct result *r, const uint8_t *bytes,
			   size_t length, size_t piece)
{
	enum smtp_data_place place = SMTP_DATA_LINE_START;

	while (length > 0 && r->state == SMTP_DATA_MORE) {
		size_t n = length < piece ? length : piece, used = n, made;
		char *room = malloc(SMTP_DATA_GROWTH + n);

		memcpy(room + SMTP_DATA_GROWTH, bytes, n);
		r->state = smtp_data_decode(&place, room + SMTP_DATA_GROWTH,
					    &used, room, &made);
		if (used > n || made > used + SMTP_DATA_GROWTH)
			__builtin_trap();
		if (r->state == SMTP_DATA_MORE && used != n) __builtin_trap();
		memcpy(r->text + r->made, room, made);
		r->made += made;
		r->used += used;
		bytes += used;
		length -= used;
		free(room);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct result slow = { .state = SMTP_DATA_MORE }, fast = slow;
	size_t piece;

	if (length == 0) return 0;
	piece = 1 + bytes[0];
	bytes++;
	length--;
	slow.text = malloc(length + SMTP_DATA_GROWTH);
	fast.text = malloc(length + SMTP_DATA_GROWTH);
	read_slowly(&slow, bytes, length);
	read_in_pieces(&fast, bytes, length, piece);
	if (slow.state != fast.state || slow.made != fast.made ||
	    slow.used != fast.used ||
	    memcmp(slow.text, fast.text, slow.made) != 0)
		__builtin_trap();
	free(slow.text);
	free(fast.text);
	return 0;
}
