/* Base64: RFC 4648's own examples, every byte there and back, and what is none.
   SPDX-License-Identifier: ISC */
#include "base/base64.h"

#include <string.h>

#include "tap.h"

static void test_examples(void)
{
	static const char *const rows[][2] = {
		{ "", "" },        { "f", "Zg==" },          { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foobar", "Zm9vYmFy" },
	};
	struct str text = { 0 };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		str_clear(&text);
		base64_encode(&text, rows[i][0], strlen(rows[i][0]));
		is_text(text.data, rows[i][1], rows[i][1]);
		str_clear(&text);
		is_number(base64_decode(&text, rows[i][1], strlen(rows[i][1])),
			  0, "is base64");
		is_text(text.data, rows[i][0], rows[i][0]);
	}
	str_free(&text);
}

static void test_all_bytes(void)
{
	unsigned char bytes[256];
	struct str text = { 0 }, back = { 0 };

	for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)i;
	base64_encode(&text, bytes, sizeof bytes);
	base64_decode(&back, text.data, text.length);
	is_bytes(back.data, back.length, bytes, sizeof bytes, "every byte");
	str_free(&text);
	str_free(&back);
}

static void test_wrong(void)
{
	static const char *const rows[] = {
		"Z",        "Zg",   "Zg=",      "=",        "====",
		"Zg==Zg==", "Z===", "Zm9v\tZg", "Zm9vZg=a", "Zh==",
		"Zm9=",     "Zm 9", "Zm9-",     "Zm9\xff",
	};
	struct str text = { 0 };

	str_append_text(&text, "before");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		is_number(base64_decode(&text, rows[i], strlen(rows[i])), -1,
			  rows[i]);
		is_text(text.data, "before", "nothing was appended");
	}
	is_number(base64_decode(&text, "Zm9\0", 4), -1, "a NUL");
	str_free(&text);
}

int main(void)
{
	test_examples();
	test_all_bytes();
	test_wrong();
	return done_testing();
}
