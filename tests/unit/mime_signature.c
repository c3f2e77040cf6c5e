/* Signatures in the first lines of parts: where a part begins, in every cut.
   SPDX-License-Identifier: ISC */
#include "mail/mime_signature.h"

#include <string.h>

#include "base/str.h"
#include "tap.h"

#define MZ "TVqQAAMAA"
#define PROGRAM MZ "AAEAAAA//8AALgAAAAAAAAAQAAAAAAAAAAAAAAA\nAAAA\n"
#define MIXED "Content-Type: multipart/mixed; boundary="

static const struct {
	const char *message;
	bool found;
	const char *name;
} rows[] = {
	{ "A: b\n\n" PROGRAM, true, "a message of one part" },
	{ "\n" PROGRAM, true, "without a header" },
	{ "A: b\n\n\n\n" PROGRAM, true, "behind empty lines" },
	{ "A: b\n\nx\n" PROGRAM, false, "behind another line" },
	{ "A: b\n\n" MZ, true, "without a line end" },
	{ "A: b\n\nTVqQAAMA\nA\n", false, "half of it" },
	{ "A: b\n" MZ "\n\n\n", false, "in the header" },
	{ "A: " MZ "\n\nx\n", false, "in a field" },
	{ "A: b\n\n tVqQAAMAA\n", false, "not at the beginning" },
	{ "A: b\n\ntvqqaamaa\n", false, "in other letters" },

	{ MIXED "b\n\n--b\nC: d\n\n" PROGRAM "--b--\n", true, "a part" },
	{ MIXED "b\n\n--b\n\ntext\n--b\nC: d\n\n" PROGRAM "--b--\n", true,
	  "another part" },
	{ MIXED "b\n\n--b\n\n" PROGRAM, true, "a part without a header" },
	{ MIXED "b\n\n--b\n\n" MZ, true, "without a line end" },
	{ MIXED "b\n\n--b\n\n\n--b\n\n" PROGRAM, true, "behind an empty one" },
	{ MIXED "b\n\n--b\n--b\n\n" PROGRAM, true, "behind less than that" },
	{ MIXED "b\n\n--b\nA: b\n--b\n\n" PROGRAM, true,
	  "a header that ends in a boundary" },
	{ MIXED "b\n\n" PROGRAM "--b\n\nx\n", false, "before the parts" },
	{ MIXED "b\n\n--b\n\nx\n--b--\n\n" PROGRAM, false, "behind them" },
	{ MIXED "b\n\n--b\n\nx\n--b--\n\n--b\n\n" PROGRAM, true,
	  "a part behind the end" },
	{ MIXED "b\n\n--b\n\nx\n\n" PROGRAM, false, "in the midst of one" },
	{ MIXED "b\n\n--c\n\n" PROGRAM, false, "another boundary" },
	{ MIXED "b\n\n --b\n\n" PROGRAM, false, "a blank before it" },
	{ MIXED "b\n\nx--b\n\n" PROGRAM, false, "not at the line's start" },
	{ MIXED "b\n\n-b\n\n" PROGRAM, false, "one dash" },
	{ MIXED "b\n\n--b \t\n\n" PROGRAM, true, "blanks behind it" },
	{ MIXED "b\r\n\r\n--b\r\n\r\n" MZ "\r\n", true, "lines of CR CR LF" },

	{ MIXED "\"b c\"\n\n--b c\n\n" PROGRAM, true, "in quotes" },
	{ MIXED "\"b\\\"\\\\c\"\n\n--b\"\\c\n\n" PROGRAM, true, "backslashes" },
	{ MIXED "\"b;c\"\n\n--b;c\n\n" PROGRAM, true, "a ';' in quotes" },
	{ MIXED "----=_a/b:c?\n\n------=_a/b:c?\n\n" PROGRAM, true,
	  "without quotes, against the rules" },
	{ MIXED "b(a)\n\n--b\n\n" PROGRAM, true, "a comment behind it" },
	{ "Content-Type: multipart/mixed;\n\tboundary=\"b\"\n\n--b\n\n" PROGRAM,
	  true, "folded" },
	{ "Content-Type:\n multipart/mixed;\n charset=x;\n boundary\n =\n b\n"
	  "\n--b\n\n" PROGRAM,
	  true, "folded everywhere" },
	{ "CONTENT-type \t:MULTIPART/x ; Boundary = b\n\n--b\n\n" PROGRAM, true,
	  "any case, and blanks" },
	{ "Content-Type: (a;)multipart(b)/mixed; x=\"; boundary=c\" ;(;)"
	  "boundary=(d)b\n\n--b\n\n" PROGRAM,
	  true, "comments and quotes with a ';'" },
	{ "Content-Type: multipart/mixed; x=\"; boundary=b\"; boundary=c\n\n"
	  "--b\n\n" PROGRAM,
	  false, "what is in quotes is no parameter" },
	{ "Content-Type: multipart/mixed; xboundary=b; boundary=c\n\n"
	  "--b\n\n" PROGRAM,
	  false, "nor is one of another name" },
	{ "X-Content-Type: multipart/mixed; boundary=b\n\nx\n--b\n\n" PROGRAM,
	  false, "another field" },
	{ "Content-Type-X: multipart/mixed; boundary=b\n\nx\n--b\n\n" PROGRAM,
	  false, "and another" },
	{ "A: b\n " MIXED "b\n\nx\n--b\n\n" PROGRAM, false,
	  "in a folded line of another" },
	{ "Content-Type: text/plain; boundary=b\n\nx\n--b\n\n" PROGRAM, true,
	  "any type with a boundary" },
	{ "Content-Type: text/plain; boundary=b\n\n" PROGRAM, true,
	  "whose text is looked at, too" },
	{ MIXED "b\nContent-Type: text/plain\n\n" PROGRAM, true,
	  "two types: it may be the other" },
	{ "Content-Type: text/plain\n" MIXED "b\n\n--b\n\n" PROGRAM, true,
	  "or this" },
	{ MIXED "b; boundary=c\n\n--c\n\n" PROGRAM, true, "two boundaries" },
	{ MIXED "b; boundary*0=c; boundary*1=d\n\n--cd\n\n" PROGRAM, true,
	  "two, one of them in pieces" },
	{ "Content-Type: multipart/mixed\n\n--x\n\n" PROGRAM, true,
	  "no boundary: each is one" },
	{ "Content-Type: multipart/mixed; boundary*=b\n\n--b\n\n" PROGRAM, true,
	  "in a form that is not read" },
	{ "Content-Type: multipart/mixed (; boundary=b\n\n--b\n\n" PROGRAM,
	  true, "a comment without an end" },
	{ MIXED "b\n\n--b\nA: x\n" MIXED "c\n\nx\n--c\n\n" PROGRAM "--c--\n"
		"--b--\n",
	  true, "a part within a part" },
	{ MIXED "b\n\n--b\n" MIXED "c\n\n--c\n\nx\n--c--\n" PROGRAM
		"--b\n\nx\n",
	  false, "between the parts" },
	{ MIXED "b\n\n--b\n" MIXED "c\n\n--c\n\nx\n--b\n\n" PROGRAM, true,
	  "the outer boundary ends the inner part" },
	{ MIXED "b\n\n--b\n" MIXED "bb\n\n--bb\n\n" PROGRAM, true,
	  "the inner one is longer" },
	{ MIXED "b\n\n--b\n" MIXED "bb\n\n--bb\n\nx\n--bb--\n\n" PROGRAM, false,
	  "and ends by itself" },
	{ MIXED "bb\n\n--bb\n" MIXED
		"b\n\n--b\n\nx\n--bb--\n\n--bb\n\n" PROGRAM,
	  true, "the outer one is longer" },
	{ MIXED "bb\n\n--bb\n" MIXED "b\n\n--b\n\nx\n--bb--\n\n" PROGRAM, false,
	  "and ends both" },
	{ MIXED "b\n\n--b\n" MIXED "c\n\n--b\n\nx\n--c\n\n" PROGRAM, false,
	  "an inner boundary that is over" },
	{ MIXED "b\n\n--b\nContent-Type: message/rfc822\n\nA: b\n\n" PROGRAM,
	  true, "an attached message" },
	{ MIXED "b\n\n--b\nContent-Type: message/rfc822\n\n" MIXED
		"c\n\n--c\n\n" PROGRAM,
	  true, "and its parts" },
};

static const char *scan_pieces(const char *signatures, size_t size,
			       const char *message, size_t length, size_t cut)
{
	static struct mime_signature_scan scan;

	mime_signature_start(&scan, signatures, size);
	mime_signature_read(&scan, message, cut);
	mime_signature_read(&scan, message + cut, length - cut);
	return mime_signature_end(&scan);
}

static bool is_found(const char *message, size_t cut)
{
	return scan_pieces(NULL, 0, message, strlen(message), cut) != NULL;
}

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bool passed = true;

		for (size_t cut = 0; cut <= strlen(rows[i].message); cut++)
			passed = is_found(rows[i].message, cut) ==
					 rows[i].found &&
				 passed;
		if (!ok(passed, rows[i].name))
			tap_show("message:", rows[i].message,
				 strlen(rows[i].message));
	}
}

static void test_list(void)
{
	static const char list[] = "UEsDB**AAA*x\0TVq\0****";
	static const char *const lines[][2] = {
		{ "UEsDBxyAAAzx", "UEsDB**AAA*x" },
		{ "UEsDBxyAAAz", "****" },
		{ "TVqQAA", "TVq" },
		{ "UEx", NULL },
		{ "TVq", "TVq" },
		{ "a*cd", "****" },
	};

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		char message[80];

		snprintf(message, sizeof message, "A: b\n\n%s\n", lines[i][0]);
		is_text(scan_pieces(list, sizeof list, message, strlen(message),
				    0),
			lines[i][1], "a list of our own");
	}
	ok(!scan_pieces("", 0, "\n" PROGRAM, 50, 0), "an empty list");
}

static void test_depth(void)
{
	bool passed = true;
	struct str message = { 0 };

	str_append_text(&message, "A: b\n");
	for (unsigned i = 0; i < 3 * MIME_DEPTH; i++) {
		str_append_text(&message, MIXED "b");
		str_append_number(&message, i + 100);
		str_append_text(&message, "\n\n--b");
		str_append_number(&message, i + 100);
		str_append_text(&message, "\n");
	}
	str_append_text(&message, "\nx\n");
	ok(!is_found(message.data, 0), "many parts within parts");
	for (unsigned i = 3 * MIME_DEPTH; i-- > 0;) {
		size_t length = message.length;

		str_append_text(&message, "--b");
		str_append_number(&message, i + 100);
		str_append_text(&message, "\n\n" PROGRAM);
		passed = is_found(message.data, 0) && passed;
		message.length = length;
		str_append_byte(&message, '\n');
	}
	ok(passed, "another part of each is found");
	str_free(&message);
}

static void test_lengths(void)
{
	static const char boundary[] = "123456789-123456789-123456789-"
				       "123456789-123456789-123456789-"
				       "1234567890";
	struct str message = { 0 };

	str_append_text(&message, MIXED);
	str_append_text(&message, boundary);
	str_append_text(&message, "x\n\n--");
	str_append_text(&message, boundary);
	str_append_text(&message, "x\n\n" PROGRAM);
	ok(is_found(message.data, 0), "a boundary that is too long");
	str_clear(&message);
	str_append_text(&message, "Content-Type: multipart/mixed; x=\"");
	for (int i = 0; i < 3 * MIME_LINE; i++) str_append_text(&message, "x");
	str_append_text(&message, "\"; boundary=b\n\n--b\n\n" PROGRAM);
	ok(is_found(message.data, 0), "a boundary that comes too late");
	ok(is_found(message.data, MIME_LINE), "in pieces");
	str_clear(&message);
	str_append_text(&message, "Content-Type: multipart/mixed;");
	for (int i = 0; i < 3 * MIME_LINE; i++)
		str_append_text(&message, "\n x=x;");
	str_append_text(&message, "\n boundary=b\n\n--b\n\n" PROGRAM);
	ok(is_found(message.data, 0), "behind many folds");
	str_clear(&message);
	str_append_text(&message, "\n");
	str_append_text(&message, MZ);
	for (int i = 0; i < 3 * MIME_LINE; i++) str_append_text(&message, "x");
	ok(is_found(message.data, 0), "in a long line");
	str_free(&message);
}

int main(void)
{
	test_rows();
	test_list();
	test_depth();
	test_lengths();
	return done_testing();
}
