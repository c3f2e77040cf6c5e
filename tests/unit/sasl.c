/* Answers in AUTH's exchange: the examples of RFC 4616 and RFC 2195, and what is
   none.
   SPDX-License-Identifier: ISC */
#include "mail/sasl.h"

#include <string.h>

#include "tap.h"

static void test_answers(void)
{
	static const struct {
		const char *line, *bytes;
		enum sasl_answer answer;
	} rows[] = {
		{ "", "", SASL_ANSWERED },
		{ "=", "", SASL_ANSWERED },
		{ "Zm9v", "foo", SASL_ANSWERED },
		{ "*", "", SASL_CANCELLED },
		{ "**", "", SASL_MALFORMED },
		{ "==", "", SASL_MALFORMED },
		{ "Zm9", "", SASL_MALFORMED },
		{ "Zm9v ", "", SASL_MALFORMED },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str bytes = { 0 };

		is_number(sasl_read_answer(&bytes, rows[i].line,
					   strlen(rows[i].line)),
			  rows[i].answer, rows[i].line);
		is_text(bytes.data ? bytes.data : "", rows[i].bytes,
			"what it stands for");
		sasl_wipe(&bytes);
		is_number((long)bytes.length, 0, "and is gone");
	}
}

static struct str make(const char *text, size_t length)
{
	struct str bytes = { 0 };

	str_append(&bytes, text, length);
	return bytes;
}

static void plain(const char *text, size_t length, const char *login,
		  const char *password, const char *name)
{
	struct str bytes = make(text, length);
	struct sasl_login read = { "", "" };

	is_number(sasl_read_plain(&read, &bytes), login ? 0 : -1, name);
	if (login) {
		is_text(read.login, login, "the login");
		is_text(read.secret, password, "the password");
	}
	str_free(&bytes);
}

#define PLAIN(text, ...) plain(text, sizeof text - 1, __VA_ARGS__)

static void test_plain(void)
{
	PLAIN("\0tim\0tanstaaftanstaaf", "tim", "tanstaaftanstaaf", "PLAIN");
	PLAIN("Ursel\0Kurt\0xipj3plmq", "Kurt", "xipj3plmq",
	      "PLAIN with an identity");
	PLAIN("", NULL, NULL, "nothing");
	PLAIN("\0", NULL, NULL, "one NUL");
	PLAIN("\0\0", NULL, NULL, "no login and no password");
	PLAIN("\0tim", NULL, NULL, "no password, nor its place");
	PLAIN("\0tim\0", NULL, NULL, "no password");
	PLAIN("\0\0secret", NULL, NULL, "no login");
	PLAIN("tim secret", NULL, NULL, "no NUL");
	PLAIN("\0tim\0secret\0", NULL, NULL, "a NUL behind it");
	PLAIN("\0tim\0\0root\0", NULL, NULL, "one string too many");
}

static void cram(const char *text, size_t length, const char *login,
		 const char *name)
{
	struct str bytes = make(text, length);
	struct sasl_login read = { "", "" };

	is_number(sasl_read_cram(&read, &bytes), login ? 0 : -1, name);
	if (login) is_text(read.login, login, "the login");
	str_free(&bytes);
}

#define CRAM(text, ...) cram(text, sizeof text - 1, __VA_ARGS__)
#define DIGITS "b913a602c7eda7a495b4e6e7334d3890"

static void test_cram(void)
{
	CRAM("tim " DIGITS, "tim", "CRAM-MD5");
	CRAM("tim and tom " DIGITS, "tim and tom", "blanks in a login");
	CRAM("tim B913A602C7EDA7A495B4E6E7334D3890", "tim", "capital digits");
	CRAM("", NULL, "nothing");
	CRAM(" " DIGITS, NULL, "no login");
	CRAM("tim", NULL, "no digits");
	CRAM("tim ", NULL, "nor any");
	CRAM("tim " DIGITS "0", NULL, "a digit too many");
	CRAM("tim g913a602c7eda7a495b4e6e7334d3890", NULL, "no digit");
	CRAM("ti\0m " DIGITS, NULL, "a NUL in the login");
	CRAM("tim " DIGITS "\0", NULL, "a NUL behind it");
}

static void test_strings(void)
{
	struct str bytes = { 0 };

	is_number(sasl_is_string(&bytes), 0, "no bytes are no string");
	str_append(&bytes, "a", 1);
	is_number(sasl_is_string(&bytes), 1, "a byte is");
	str_append(&bytes, "\0", 1);
	is_number(sasl_is_string(&bytes), 0, "a NUL is not");
	str_free(&bytes);
}

int main(void)
{
	test_answers();
	test_plain();
	test_cram();
	test_strings();
	return done_testing();
}
