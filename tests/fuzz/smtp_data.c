/* The text behind DATA against a reader that takes one byte after the other:
   same text, same end, in place and however it is cut. The first byte says how
   long the pieces are, and its highest bit that a bare LF ends a line.
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
static void read_slowly(struct result *r, const uint8_t *bytes, size_t length,
			enum smtp_data_bare_lf bare_lf)
{
	size_t at = 0;

	while (at < length) {
		size_t start = at, end;
		bool with_cr, lone_dot;

		/* One line: up to an LF, or what is there. */
		while (at < length && bytes[at] != '\n') at++;
		r->used = at;
		with_cr = at > start && bytes[at - 1] == '\r';
		/* A last CR may yet belong to an LF. */
		end = with_cr ? at - 1 : at;
		lone_dot = end - start == 1 && bytes[start] == '.';
		if (lone_dot && with_cr && at < length && start != 1 &&
		    (start == 0 || bytes[start - 2] == '\r')) {
			r->used = at + 1;
			r->state = SMTP_DATA_END;
			return;
		}
		/* The dot goes, but for lines of it alone, and before a CR. A
		   last one's line may yet be longer. */
		if (start < end && bytes[start] == '.' &&
		    (lone_dot ? at == length
			      : at - start == 1 || bytes[start + 1] != '\r'))
			start++;
		while (start < end) give(r, (char)bytes[start++]);
		if (at == length) return;
		if (!with_cr && bare_lf == SMTP_DATA_BARE_LF_STOPS) {
			r->state = SMTP_DATA_BARE_LF;
			return;
		}
		give(r, '\n');
		r->used = ++at;
	}
}

static void read_in_pieces(struct result *r, const uint8_t *bytes,
			   size_t length, size_t piece,
			   enum smtp_data_bare_lf bare_lf)
{
	struct smtp_data data = { .bare_lf = bare_lf };

	while (length > 0 && r->state == SMTP_DATA_MORE) {
		size_t n = length < piece ? length : piece, used = n, made;
		char *room = malloc(SMTP_DATA_GROWTH + n);

		memcpy(room + SMTP_DATA_GROWTH, bytes, n);
		r->state = smtp_data_decode(&data, room + SMTP_DATA_GROWTH,
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
	enum smtp_data_bare_lf bare_lf;
	size_t piece;

	if (length == 0) return 0;
	piece = 1 + (bytes[0] & 127);
	bare_lf = bytes[0] & 128 ? SMTP_DATA_BARE_LF_ENDS_LINE
				 : SMTP_DATA_BARE_LF_STOPS;
	bytes++;
	length--;
	slow.text = malloc(length + SMTP_DATA_GROWTH);
	fast.text = malloc(length + SMTP_DATA_GROWTH);
	read_slowly(&slow, bytes, length, bare_lf);
	read_in_pieces(&fast, bytes, length, piece, bare_lf);
	if (slow.state != fast.state || slow.made != fast.made ||
	    slow.used != fast.used ||
	    memcmp(slow.text, fast.text, slow.made) != 0)
		__builtin_trap();
	free(slow.text);
	free(fast.text);
	return 0;
}
