/* Byte strings: what is in them stays, a NUL follows, and nothing unprintable
   gets through where it must not.
   SPDX-License-Identifier: ISC */
#include "base/str.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

static void test_growing(void)
{
	struct str s = { 0 };
	bool good = true;

	for (size_t i = 0; i < 5000; i++) {
		str_append_byte(&s, (char)(i * 7));
		good = good && s.length == i + 1 && s.length < s.room &&
		       s.data[s.length] == '\0';
	}
	for (size_t i = 0; i < 5000; i++)
		good = good && s.data[i] == (char)(i * 7);
	ok(good, "5000 single bytes");
	str_clear(&s);
	ok(s.length == 0 && s.room >= 5000 && !*s.data,
	   "cleared, it keeps its memory");
	str_append(&s, "a\0b", 3);
	str_append(&s, NULL, 0);
	str_append(&s, "", 0);
	is_bytes(s.data, s.length, "a\0b", 3, "a NUL is a byte");
	str_free(&s);
	ok(!s.data && !s.length && !s.room, "freed, it is new");
	str_clear(&s);
	ok(!s.data, "a new one can be cleared");
	str_append(&s, NULL, 0);
	is_text(s.data, "", "nothing makes an empty text");
	str_free(&s);
	str_reserve(&s, 0);
	is_text(s.data, "", "room for nothing is an empty text");
	str_reserve(&s, 1000);
	ok(s.room > 1000 && s.length == 0, "room for more");
	str_free(&s);
}

/* The youngest string grows where it is, the older ones stay untouched. */
static void test_neighbours(void)
{
	struct str older = { 0 }, younger = { 0 };
	bool good = true;

	str_append_text(&older, "older");
	for (size_t i = 0; i < 1000; i++) {
		str_append_byte(&younger, (char)('a' + i % 26));
		good = good && strcmp(older.data, "older") == 0;
	}
	for (size_t i = 0; i < 1000; i++)
		good = good && younger.data[i] == (char)('a' + i % 26);
	ok(good, "a string that grows beside another one");
	str_append_text(&older, " grows, too");
	is_text(older.data, "older grows, too", "and the other way round");
	ok(younger.length == 1000 && younger.data[999] == 'a' + 999 % 26,
	   "the first one is as it was");
	str_free(&younger);
	str_free(&older);
}

static void test_numbers(void)
{
	struct str s = { 0 };
	char wanted[40];

	str_append_number(&s, 0);
	str_append_byte(&s, ' ');
	str_append_number(&s, 90);
	str_append_byte(&s, ' ');
	str_append_number(&s, ULONG_MAX);
	snprintf(wanted, sizeof wanted, "0 90 %lu", ULONG_MAX);
	is_text(s.data, wanted, "numbers");
	str_free(&s);
}

static void test_printable(void)
{
	struct str s = { 0 };
	char all[256], room[8];
	bool good = true;

	for (size_t i = 0; i < sizeof all; i++) all[i] = (char)i;
	str_append_printable(&s, all, sizeof all);
	for (size_t i = 0; i < sizeof all; i++)
		good = good && s.data[i] == (i > 32 && i < 127 ? (char)i : '?');
	ok(good && s.length == sizeof all && !s.data[s.length],
	   "each byte, printable");
	str_free(&s);

	is_text(printable_text(room, sizeof room, ""), "", "no text");
	is_text(printable_text(room, sizeof room, "1234567"), "1234567",
		"a text that just fits");
	is_text(printable_text(room, sizeof room, "12345678"), "1234...",
		"a longer one is cut");
	is_text(printable_text(room, sizeof room, "a b\r\n\x7f\xe4"), "a b????",
		"a space stays, others go");
	is_text(printable_text(room, 4, "12345"), "123",
		"no room for the dots");
	is_text(printable_text(room, 1, "12345"), "", "room for the NUL alone");
}

/* Out of memory: the child's exit code. */
static int exit_code(size_t more)
{
	struct str s = { 0 };
	pid_t child;
	int status;

	str_append_text(&s, "some");
	child = fork();
	if (child == 0) {
		close(STDERR_FILENO); /* it says so, which is no failure */
		str_reserve(&s, more);
		_exit(1);
	}
	str_free(&s);
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

int main(void)
{
	test_growing();
	test_neighbours();
	test_numbers();
	test_printable();
	fflush(stdout);
	is_number(exit_code(SIZE_MAX), 111, "more than there can be");
	is_number(exit_code(SIZE_MAX - 5), 111, "the sum overflows");
	is_number(exit_code(SIZE_MAX / 4), 111, "a quarter of everything");
	str_memory_exit = 51;
	is_number(exit_code(SIZE_MAX), 51, "with the exit code that was set");
	return done_testing();
}
