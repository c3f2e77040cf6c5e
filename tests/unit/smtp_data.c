/* The text behind DATA: what ends it, what does not, in every cut, and in
   place.
   SPDX-License-Identifier: ISC */
#include "mail/smtp_data.h"

#include <string.h>

#include "tap.h"

#define BYTES(text) text, sizeof(text) - 1

static const struct {
	const char *wire;
	size_t length;
	const char *text;
	size_t text_length;
	enum smtp_data_state state;
	size_t rest; /* of the wire, behind the end */
} cases[] = {
	{ BYTES("a\r\n.\r\nQUIT\r\n"), BYTES("a\n"), SMTP_DATA_END, 6 },
	{ BYTES(".\r\n"), BYTES(""), SMTP_DATA_END, 0 },
	{ BYTES("..x\r\n.x\r\n..\r\n.\r\n"), BYTES(".x\nx\n.\n"), SMTP_DATA_END,
	  0 },
	{ BYTES("a\r\r\n.\r\n"), BYTES("a\r\n"), SMTP_DATA_END, 0 },
	{ BYTES("a\rb\r\n.\r\n"), BYTES("a\rb\n"), SMTP_DATA_END, 0 },
	{ BYTES("\0\xff\r\n.\r\n"), BYTES("\0\xff\n"), SMTP_DATA_END, 0 },
	{ BYTES("a\r\n.\r\r\n.\r\n"), BYTES("a\n.\r\n"), SMTP_DATA_END, 0 },
	{ BYTES("a\r\n.\rb\r\n.\r\n"), BYTES("a\n.\rb\n"), SMTP_DATA_END, 0 },
	{ BYTES("a\r\n.\r.\r\n.\r\n"), BYTES("a\n.\r.\n"), SMTP_DATA_END, 0 },
	/* What others have taken for an end (SMTP smuggling). */
	{ BYTES("a\r.\r"), BYTES("a\r."), SMTP_DATA_MORE, 0 },
	{ BYTES("a\r.\r\nb"), BYTES("a\r.\nb"), SMTP_DATA_MORE, 0 },
	{ BYTES("a\r\n.\r\r\nb"), BYTES("a\n.\r\nb"), SMTP_DATA_MORE, 0 },
	{ BYTES("a\r\n.\0\r\nb"), BYTES("a\n\0\nb"), SMTP_DATA_MORE, 0 },
	{ BYTES("a\r\n.\r\0\nb"), BYTES("a\n.\r\0"), SMTP_DATA_BARE_LF, 2 },
	{ BYTES("a\n.\nb"), BYTES("a"), SMTP_DATA_BARE_LF, 4 },
	{ BYTES("a\n.\r\nb"), BYTES("a"), SMTP_DATA_BARE_LF, 5 },
	{ BYTES("a\r\n.\nb"), BYTES("a\n"), SMTP_DATA_BARE_LF, 2 },
	{ BYTES("a\n.\r\r\nb"), BYTES("a"), SMTP_DATA_BARE_LF, 6 },
	{ BYTES("\n"), BYTES(""), SMTP_DATA_BARE_LF, 1 },
	{ BYTES("\r\n\n"), BYTES("\n"), SMTP_DATA_BARE_LF, 1 },
};

/* The wire in two pieces, each decoded where it lies. */
static bool decodes(size_t i, size_t cut)
{
	enum smtp_data_place place = SMTP_DATA_LINE_START;
	enum smtp_data_state state = SMTP_DATA_MORE;
	char room[64], text[64];
	size_t made = 0, used = 0;

	for (int piece = 0; piece < 2 && state == SMTP_DATA_MORE; piece++) {
		size_t from = piece ? cut : 0, n, length;

		length = piece ? cases[i].length - cut : cut;
		memcpy(room + SMTP_DATA_GROWTH, cases[i].wire + from, length);
		state = smtp_data_decode(&place, room + SMTP_DATA_GROWTH,
					 &length, room, &n);
		memcpy(text + made, room, n);
		made += n;
		used += length;
	}
	return state == cases[i].state &&
	       cases[i].length - used == cases[i].rest &&
	       made == cases[i].text_length &&
	       memcmp(text, cases[i].text, made) == 0;
}

int main(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool passed = true;

		for (size_t cut = 0; cut <= cases[i].length; cut++)
			passed = decodes(i, cut) && passed;
		if (!ok(passed, "decoded alike in every cut"))
			tap_show("wire:", cases[i].wire, cases[i].length);
	}
	return done_testing();
}
