/* BDAT: what is a size, and chunks in every cut.
   SPDX-License-Identifier: ISC */
#include "mail/smtp_chunk.h"

#include <string.h>

#include "tap.h"

#define BYTES(text) text, sizeof(text) - 1

static const struct {
	const char *argument;
	bool good;
	uint64_t bytes;
	bool is_last;
} sizes[] = {
	{ "0", true, 0, false },
	{ "86", true, 86, false },
	{ "86 LAST", true, 86, true },
	{ "  86   last  ", true, 86, true },
	{ "000000000000000000000000001 LAST", true, 1, true },
	{ "18446744073709551615", true, UINT64_MAX, false },
	{ "18446744073709551616", false, 0, false },
	{ "99999999999999999999999999999999", false, 0, false },
	{ "", false, 0, false },
	{ " ", false, 0, false },
	{ "LAST", false, 0, false },
	{ "-1", false, 0, false },
	{ "+1", false, 0, false },
	{ "0x10", false, 0, false },
	{ "1.5", false, 0, false },
	{ "5\t", false, 0, false },
	{ "5=", false, 0, false },
	{ "5=5", false, 0, false },
	{ "5LAST", false, 0, false },
	{ "5 LASTS", false, 0, false },
	{ "5 LAS", false, 0, false },
	{ "5 LAST=1", false, 0, false },
	{ "5 LAST LAST", false, 0, false },
	{ "5 6", false, 0, false },
};

static const struct test {
	const char *wire;
	size_t length;
	const char *text;
	size_t text_length;
} texts[] = {
	{ BYTES(""), BYTES("") },
	{ BYTES("a\r\nb\r\n"), BYTES("a\nb\n") },
	{ BYTES("a\nb\r\n"), BYTES("a\nb\n") },
	{ BYTES("a\rb\r\n"), BYTES("a\rb\n") },
	{ BYTES("a\r\r\n\r\r\r\nb\r\n"), BYTES("a\r\n\r\r\nb\n") },
	{ BYTES("\n\r\n\n\r"), BYTES("\n\n\n\r\n") },
	{ BYTES("a"), BYTES("a\n") },
	{ BYTES("a\r"), BYTES("a\r\n") },
	{ BYTES("a\r\n\r"), BYTES("a\n\r\n") },
	{ BYTES("\r"), BYTES("\r\n") },
	{ BYTES("a\n"), BYTES("a\n") },
	{ BYTES(".\r\n..\r\n.a\r\n"), BYTES(".\n..\n.a\n") },
	{ BYTES("\0\xff\r\0\n\r\n"), BYTES("\0\xff\r\0\n\n") },
};

/* In three pieces, each decoded where it lies. */
static bool decodes(const struct test *test, size_t first, size_t second)
{
	const size_t ends[] = { first, second, test->length };
	struct smtp_chunk chunk = { 0 };
	char room[64], text[64];
	size_t made = 0, from = 0;

	for (int i = 0; i < 3; i++) {
		char *to = room + SMTP_CHUNK_GROWTH;
		size_t length = ends[i] - from, n;

		memcpy(to, test->wire + from, length);
		n = smtp_chunk_decode(&chunk, to, length, room);
		memcpy(text + made, room, n);
		made += n;
		from = ends[i];
	}
	made += smtp_chunk_end(&chunk, text + made);
	return made == test->text_length && memcmp(text, test->text, made) == 0;
}

int main(void)
{
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct smtp_chunk_size size;
		int result = smtp_chunk_parse(sizes[i].argument, &size);
		bool right = sizes[i].good
				     ? result == 0 &&
					       size.bytes == sizes[i].bytes &&
					       size.is_last == sizes[i].is_last
				     : result == -1;

		if (!ok(right, "a size")) printf("# %s\n", sizes[i].argument);
	}
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		size_t length = texts[i].length;
		bool passed = true;

		for (size_t cut = 0; cut <= length; cut++)
			for (size_t other = cut; other <= length; other++)
				passed = decodes(&texts[i], cut, other) &&
					 passed;
		if (!ok(passed, "decoded alike in every cut"))
			tap_show("wire:", texts[i].wire, length);
	}
	return done_testing();
}
