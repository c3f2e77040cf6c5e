/* The text behind DATA: what ends it, what does not, in every cut, and in
   place; and the other way round.
   SPDX-License-Identifier: ISC */
#include "mail/smtp_data.h"

#include <string.h>

#include "tap.h"

#define BYTES(text) text, sizeof(text) - 1

static const struct test {
	const char *wire;
	size_t length;
	const char *text;
	size_t text_length;
	enum smtp_data_state state;
	size_t rest; /* of the wire, behind the end */
} strict[] = {
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
	{ BYTES("a\r\n.\nb"), BYTES("a\n."), SMTP_DATA_BARE_LF, 2 },
	{ BYTES("a\n.\r\r\nb"), BYTES("a"), SMTP_DATA_BARE_LF, 6 },
	{ BYTES("\n"), BYTES(""), SMTP_DATA_BARE_LF, 1 },
	{ BYTES("\r\n\n"), BYTES("\n"), SMTP_DATA_BARE_LF, 1 },
};

/* The same with bare LFs as line ends: what else they may not end. */
static const struct test lenient[] = {
	{ BYTES("a\r\n.\r\nQUIT\r\n"), BYTES("a\n"), SMTP_DATA_END, 6 },
	{ BYTES(".\r\n"), BYTES(""), SMTP_DATA_END, 0 },
	{ BYTES("a\nb\r\n.\r\n"), BYTES("a\nb\n"), SMTP_DATA_END, 0 },
	{ BYTES("\n"), BYTES("\n"), SMTP_DATA_MORE, 0 },
	{ BYTES("a\n.\nb"), BYTES("a\n.\nb"), SMTP_DATA_MORE, 0 },
	{ BYTES("a\n.\r\nb"), BYTES("a\n.\nb"), SMTP_DATA_MORE, 0 },
	{ BYTES("a\r\n.\nb"), BYTES("a\n.\nb"), SMTP_DATA_MORE, 0 },
	{ BYTES(".\nb"), BYTES(".\nb"), SMTP_DATA_MORE, 0 },
	{ BYTES("a\n.\r\r\nb"), BYTES("a\n.\r\nb"), SMTP_DATA_MORE, 0 },
	{ BYTES("a\n.\rb"), BYTES("a\n.\rb"), SMTP_DATA_MORE, 0 },
	{ BYTES("a\n\r.\r\nb"), BYTES("a\n\r.\nb"), SMTP_DATA_MORE, 0 },
	{ BYTES("a\r\n.\r\0\nb"), BYTES("a\n.\r\0\nb"), SMTP_DATA_MORE, 0 },
	{ BYTES("a\r.\rb"), BYTES("a\r.\rb"), SMTP_DATA_MORE, 0 },
	/* A dot too many goes, whatever the line end in front of it. */
	{ BYTES("a\n..\nb"), BYTES("a\n.\nb"), SMTP_DATA_MORE, 0 },
	{ BYTES("a\n.b\n..c\r\n.d"), BYTES("a\nb\n.c\nd"), SMTP_DATA_MORE, 0 },
	/* The CRLF behind a lone dot that was text is a CRLF. */
	{ BYTES("a\n.\r\n.\r\nb"), BYTES("a\n.\n"), SMTP_DATA_END, 1 },
	{ BYTES("a\n\r\n.\r\nb"), BYTES("a\n\n"), SMTP_DATA_END, 1 },
	{ BYTES("a\n\n.\r\nb"), BYTES("a\n\n.\nb"), SMTP_DATA_MORE, 0 },
	{ BYTES("a\r\n\n.\r\nb"), BYTES("a\n\n.\nb"), SMTP_DATA_MORE, 0 },
	{ BYTES("a\n.\n.\r\nb"), BYTES("a\n.\n.\nb"), SMTP_DATA_MORE, 0 },
	{ BYTES("a\r\n.\n.\r\nb"), BYTES("a\n.\n.\nb"), SMTP_DATA_MORE, 0 },
};

/* The wire in two pieces, each decoded where it lies. */
static bool decodes(const struct test *test, enum smtp_data_bare_lf bare_lf,
		    size_t cut)
{
	struct smtp_data data = { .bare_lf = bare_lf };
	enum smtp_data_state state = SMTP_DATA_MORE;
	char room[64], text[64];
	size_t made = 0, used = 0;

	for (int piece = 0; piece < 2 && state == SMTP_DATA_MORE; piece++) {
		size_t from = piece ? cut : 0, n, length;

		length = piece ? test->length - cut : cut;
		memcpy(room + SMTP_DATA_GROWTH, test->wire + from, length);
		state = smtp_data_decode(&data, room + SMTP_DATA_GROWTH,
					 &length, room, &n);
		memcpy(text + made, room, n);
		made += n;
		used += length;
	}
	return state == test->state && test->length - used == test->rest &&
	       made == test->text_length && memcmp(text, test->text, made) == 0;
}

static void try(const struct test *test, enum smtp_data_bare_lf bare_lf)
{
	bool passed = true;

	for (size_t cut = 0; cut <= test->length; cut++)
		passed = decodes(test, bare_lf, cut) && passed;
	if (!ok(passed, "decoded alike in every cut"))
		tap_show("wire:", test->wire, test->length);
}

static const struct {
	const char *text;
	size_t length;
	const char *wire;
	size_t wire_length;
} encoded[] = {
	{ BYTES(""), BYTES(".\r\n") },
	{ BYTES("a\n"), BYTES("a\r\n.\r\n") },
	{ BYTES("a"), BYTES("a\r\n.\r\n") },
	{ BYTES("\n"), BYTES("\r\n.\r\n") },
	{ BYTES(".\n"), BYTES("..\r\n.\r\n") },
	{ BYTES("."), BYTES("..\r\n.\r\n") },
	{ BYTES("..\n.a\na.\n"), BYTES("...\r\n..a\r\na.\r\n.\r\n") },
	{ BYTES("\0\xff\n"), BYTES("\0\xff\r\n.\r\n") },
	/* Lines that have their CR. */
	{ BYTES("a\r\n.\r\n"), BYTES("a\r\n..\r\n.\r\n") },
	/* What others might take for an end. */
	{ BYTES("a\r.\r\nb\n"), BYTES("a .\r\nb\r\n.\r\n") },
	{ BYTES("a\r.\rb\n"), BYTES("a . b\r\n.\r\n") },
	{ BYTES("a\n\r.\r\nb"), BYTES("a\r\n .\r\nb\r\n.\r\n") },
	{ BYTES("a\n.\r\r\n"), BYTES("a\r\n.. \r\n.\r\n") },
	{ BYTES("a\r"), BYTES("a \r\n.\r\n") },
	{ BYTES("\r"), BYTES(" \r\n.\r\n") },
	{ BYTES("\r\r\n\r"), BYTES(" \r\n \r\n.\r\n") },
};

static void test_encoding(void)
{
	for (size_t i = 0; i < sizeof encoded / sizeof *encoded; i++) {
		bool passed = true;

		for (size_t cut = 0; cut <= encoded[i].length; cut++) {
			struct smtp_data_encoder encoder = { 0 };
			char wire[100];
			size_t made;

			made = smtp_data_encode(&encoder, encoded[i].text, cut,
						wire);
			made += smtp_data_encode(
				&encoder, encoded[i].text + cut,
				encoded[i].length - cut, wire + made);
			made += smtp_data_encode_end(&encoder, wire + made);
			if (made != encoded[i].wire_length ||
			    memcmp(wire, encoded[i].wire, made) != 0)
				passed = false;
		}
		if (!ok(passed, "encoded alike in every cut"))
			tap_show("text:", encoded[i].text, encoded[i].length);
	}
}

int main(void)
{
	test_encoding();
	for (size_t i = 0; i < sizeof strict / sizeof *strict; i++)
		try(&strict[i], SMTP_DATA_BARE_LF_STOPS);
	for (size_t i = 0; i < sizeof lenient / sizeof *lenient; i++)
		try(&lenient[i], SMTP_DATA_BARE_LF_ENDS_LINE);
	return done_testing();
}
