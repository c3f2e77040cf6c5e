/* Authentication-Results: which fields of a stranger go, in every cut, and what
   our own looks like.
   SPDX-License-Identifier: ISC */
#include "mail/auth_results.h"

#include <string.h>

#include "base/str.h"
#include "tap.h"

#define BYTES(text) text, sizeof(text) - 1
#define AR "Authentication-Results:"
#define OURS AR " mx.example.net; spf=pass\n"
#define OTHER AR " mx.example.com; spf=pass\n"

static const struct {
	const char *message;
	size_t length;
	const char *rest;
	size_t rest_length;
	const char *name;
} rows[] = {
	{ BYTES("A: b\n" OURS "C: d\n\ntext\n"), BYTES("A: b\nC: d\n\ntext\n"),
	  "ours goes" },
	{ BYTES(OURS "\n"), BYTES("\n"), "alone" },
	{ BYTES(OTHER "\n"), BYTES(OTHER "\n"), "another's stays" },
	{ BYTES(OURS OURS OTHER OURS), BYTES(OTHER), "several" },
	{ BYTES("\n" OURS), BYTES("\n" OURS), "the text is nobody's" },
	{ BYTES(AR " mx.example.net;\n\tspf=pass\n  x\nB: c\n\n"),
	  BYTES("B: c\n\n"), "with folded lines" },
	{ BYTES(AR " mx.example.com;\n\tspf=pass\n  x\nB: c\n\n"),
	  BYTES(AR " mx.example.com;\n\tspf=pass\n  x\nB: c\n\n"),
	  "another's folded lines" },
	{ BYTES(AR "\n mx.example.net; none\nB: c\n"), BYTES("B: c\n"),
	  "a fold behind the colon" },
	{ BYTES(AR "\n mx.example.com; none\nB: c\n"),
	  BYTES(AR "\n mx.example.com; none\nB: c\n"), "of another" },
	{ BYTES("authentication-RESULTS \t: MX.Example.NET; none\n"), BYTES(""),
	  "blanks, and any case" },
	{ BYTES("Authentication-Results\n : mx.example.net; none\nB: c\n"),
	  BYTES("B: c\n"), "a fold before the colon" },
	{ BYTES("Authentication-Results\n"), BYTES("Authentication-Results\n"),
	  "the name without a colon" },
	{ BYTES("Authentication-Results x: mx.example.net; none\n"),
	  BYTES("Authentication-Results x: mx.example.net; none\n"),
	  "no such name" },
	{ BYTES("Authentication-Results2: mx.example.net; none\n"),
	  BYTES("Authentication-Results2: mx.example.net; none\n"),
	  "a longer name" },
	{ BYTES("X-" OURS " " OURS), BYTES("X-" OURS " " OURS),
	  "within other fields" },
	{ BYTES("ARC-" OURS "Authentication: x\nAuth"),
	  BYTES("ARC-" OURS "Authentication: x\nAuth"), "others' names" },
	{ BYTES(AR " mx.example.net 1; spf=pass\n"), BYTES(""), "a version" },
	{ BYTES(AR " mx.example.com 1; spf=pass\n"),
	  BYTES(AR " mx.example.com 1; spf=pass\n"), "another's version" },
	{ BYTES(AR "(a(b)\\)c)mx.example.net(d); spf=pass\n"), BYTES(""),
	  "comments, nested" },
	{ BYTES(AR "(a(b)\\)c)mx.example.com(d); spf=pass\n"),
	  BYTES(AR "(a(b)\\)c)mx.example.com(d); spf=pass\n"),
	  "another's comments" },
	{ BYTES(AR "\t(x)\n\t\"mx\\.example.net\"; spf=pass\n"), BYTES(""),
	  "a quoted name" },
	{ BYTES(AR " \"mx.example.com\" ; spf=pass\n"),
	  BYTES(AR " \"mx.example.com\" ; spf=pass\n"), "another's" },
	{ BYTES(AR " mx.example.net.; spf=pass\n"), BYTES(""), "a final dot" },
	{ BYTES(AR " mx.example.net\n"), BYTES(""), "nothing but the name" },
	{ BYTES(AR " mx.example.com\n"), BYTES(AR " mx.example.com\n"),
	  "nothing but another's" },
	{ BYTES(AR " mx.example.net;"), BYTES(""), "no line end" },
	{ BYTES(AR " mx.example.com;"), BYTES(AR " mx.example.com;"),
	  "no line end behind another's" },
	{ BYTES(AR " mx.example.net.example.com; spf=pass\n"),
	  BYTES(AR " mx.example.net.example.com; spf=pass\n"),
	  "a name that ours is part of" },
	{ BYTES(AR "\n"), BYTES(""), "no name at all" },
	{ BYTES(AR " ; spf=pass\n"), BYTES(""), "an empty one" },
	{ BYTES(AR " spf=pass smtp.mailfrom=a.b; dkim=pass\n"), BYTES(""),
	  "results without a name" },
	{ BYTES(AR " (mx.example.com; spf=pass\n"), BYTES(""),
	  "a comment without an end" },
	{ BYTES(AR " \"mx.example.com; spf=pass\n"), BYTES(""),
	  "a quote without an end" },
	{ BYTES(AR " mx.example.com x; spf=pass\n"), BYTES(""), "two names" },
	{ BYTES(AR " mx . example . net; spf=pass\n"), BYTES(""),
	  "blanks in the name" },
	/* A lone CR ends a line for some. */
	{ BYTES("A: b\r" OURS "C: d\n\nt\n"), BYTES("A: b\r\nC: d\n\nt\n"),
	  "behind a CR" },
	{ BYTES("A: b\r" OURS "\nt\n"), BYTES("A: b\r\n\nt\n"),
	  "the header's end stays" },
	{ BYTES("A: b\r" OURS "\n" OURS), BYTES("A: b\r\n\n" OURS),
	  "and the text behind it" },
	{ BYTES("A: b\r" AR "mx.example.net;\r x\rC: d\n"),
	  BYTES("A: b\rC: d\n"), "between CRs" },
	{ BYTES(AR " mx.example.net; x\rC: d\n"), BYTES("C: d\n"),
	  "before a CR" },
	{ BYTES("A: b\r\n" AR " mx.example.net;\r\n x\r\nC: d\r\n\n"),
	  BYTES("A: b\r\nC: d\r\n\n"), "CRLF all over" },
	{ BYTES("A: b\r" AR " mx.example.net; x\r\n\nt\n"),
	  BYTES("A: b\r\n\nt\n"), "CR and CRLF" },
	{ BYTES(AR " mx.example.net; x\r" OURS "\nt\n"), BYTES("\nt\n"),
	  "two in one line" },
	{ BYTES("A: b\r\r\n\r\n" OURS "\n" OURS),
	  BYTES("A: b\r\r\n\r\n\n" OURS), "a line of a CR is not empty" },
};

static struct str output;

static void take(void *context, const char *bytes, size_t length)
{
	str_append(context, bytes, length);
}

static struct auth_results_filter new_filter(const char *id)
{
	str_clear(&output);
	return (struct auth_results_filter){
		.id = id,
		.write = take,
		.context = &output,
	};
}

static bool is_output(const char *text, size_t length)
{
	return output.length == length &&
	       (length == 0 || memcmp(output.data, text, length) == 0);
}

static bool filters(size_t i, size_t cut)
{
	struct auth_results_filter filter = new_filter("mx.example.net");

	auth_results_filter(&filter, rows[i].message, cut);
	auth_results_filter(&filter, rows[i].message + cut,
			    rows[i].length - cut);
	auth_results_filter_end(&filter);
	return is_output(rows[i].rest, rows[i].rest_length);
}

static bool filters_bytes(size_t i)
{
	struct auth_results_filter filter = new_filter("mx.example.net");

	for (size_t at = 0; at < rows[i].length; at++)
		auth_results_filter(&filter, rows[i].message + at, 1);
	auth_results_filter_end(&filter);
	return is_output(rows[i].rest, rows[i].rest_length);
}

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bool passed = filters_bytes(i);

		for (size_t cut = 0; cut <= rows[i].length; cut++)
			passed = filters(i, cut) && passed;
		if (ok(passed, rows[i].name)) continue;
		filters(i, 0);
		tap_show("got:   ", output.data, output.length);
		tap_show("wanted:", rows[i].rest, rows[i].rest_length);
	}
}

/* A field with so many blanks before its name, and one with its name first. */
static void test_length(const char *id, size_t blanks, bool stays)
{
	struct auth_results_filter filter = new_filter("mx.example.net");
	struct str message = { 0 };
	char name[80];

	str_append_text(&message, AR);
	for (size_t i = 0; i < blanks; i++)
		str_append_text(&message, i % 60 ? " " : "\n ");
	str_append_text(&message, id);
	str_append_text(&message, "; spf=pass\n folded\n");
	auth_results_filter(&filter, message.data, message.length);
	auth_results_filter(&filter, "A: b\n", 5);
	auth_results_filter_end(&filter);
	snprintf(name, sizeof name, "%s behind %zu blanks", id, blanks);
	if (stays) str_append_text(&message, "A: b\n");
	if (stays) ok(is_output(message.data, message.length), name);
	else is_bytes(output.data, output.length, "A: b\n", 5, name);
	str_free(&message);
}

static void test_long_field(const char *id, bool stays)
{
	struct auth_results_filter filter = new_filter("mx.example.net");
	struct str message = { 0 };

	str_append_text(&message, AR " ");
	str_append_text(&message, id);
	str_append_text(&message, ";");
	while (message.length < 100000)
		str_append_text(&message, "\n\tdkim=pass header.d=a.b;\n ");
	str_append_text(&message, "\n");
	auth_results_filter(&filter, message.data, message.length);
	auth_results_filter_end(&filter);
	ok(is_output(message.data, stays ? message.length : 0),
	   stays ? "a long field of another" : "a long field");
	str_free(&message);
}

static void test_u_labels(void)
{
	static const char message[] = AR " mx.b\xc3\xbc"
					 "cher.example; x\n";
	struct auth_results_filter filter =
		new_filter("mx.xn--bcher-kva.example");

	auth_results_filter(&filter, message, sizeof message - 1);
	auth_results_filter_end(&filter);
	is_number((long long)output.length, 0, "our name with U-labels");
	filter = new_filter("xn--bcher-kva.example");
	auth_results_filter(&filter, message, sizeof message - 1);
	auth_results_filter_end(&filter);
	ok(is_output(message, sizeof message - 1), "another one");
	filter = new_filter("mx.b\xc3\xbc"
			    "cher.example.");
	auth_results_filter(&filter, AR " mx.xn--bcher-kva.EXAMPLE; x\n", 51);
	auth_results_filter_end(&filter);
	is_number((long long)output.length, 0, "ours has U-labels");
}

static void test_writing(void)
{
	struct auth_results results = { 0 };
	struct str field = { 0 };

	auth_results_begin(&results, &field, "mx.example.net");
	auth_results_end(&results);
	is_text(field.data, "Authentication-Results: mx.example.net; none\n",
		"nothing to say");

	auth_results_begin(&results, &field, "mx.example.net");
	auth_results_add(&results, "spf", "pass");
	auth_results_property(&results, "smtp.mailfrom", "example.org");
	auth_results_add(&results, "iprev", "pass");
	auth_results_property(&results, "policy.iprev", "2001:db8::1");
	auth_results_add(&results, "auth", "pass");
	auth_results_property(&results, "smtp.auth", "joe@example.org");
	auth_results_add(&results, "dkim", "permerror (no key)");
	auth_results_property(&results, "header.d", "m.example");
	auth_results_property(&results, "header.s", "k1");
	auth_results_end(&results);
	is_text(field.data + 45,
		"Authentication-Results: mx.example.net; "
		"spf=pass smtp.mailfrom=example.org;\n"
		"\tiprev=pass policy.iprev=\"2001:db8::1\";\n"
		"\tauth=pass smtp.auth=joe@example.org;\n"
		"\tdkim=permerror (no key) header.d=m.example "
		"header.s=k1\n",
		"behind what is there");
	str_free(&field);
}

static void test_values(void)
{
	static const char *const values[][2] = {
		{ "example.org", "example.org" },
		{ "joe+x@a.b", "joe+x@a.b" },
		{ "@a.b", "@a.b" },
		{ "", "\"\"" },
		{ "@", "\"@\"" },
		{ "a@", "\"a@\"" },
		{ "a@b@c", "\"a@b@c\"" },
		{ "a..b@c", "\"a..b@c\"" },
		{ ".a@c", "\".a@c\"" },
		{ "a@b.", "\"a@b.\"" },
		{ "a b", "\"a b\"" },
		{ "a;b=c", "\"a;b=c\"" },
		{ "a(b)", "\"a(b)\"" },
		{ "\"a\\b\"", "\"\\\"a\\\\b\\\"\"" },
		{ "a\nb\rc\td\x7f", "\"a?b?c?d?\"" },
		{ "\xc3\xbc@a.b", "\"??@a.b\"" },
	};
	struct auth_results results = { 0 };
	struct str field = { 0 };

	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		size_t start;

		auth_results_begin(&results, &field, "mx");
		auth_results_add(&results, "auth", "pass");
		start = field.length + strlen(" smtp.auth=");
		auth_results_property(&results, "smtp.auth", values[i][0]);
		is_text(field.data + start, values[i][1], "a value");
	}
	results.may_be_utf8 = true;
	str_clear(&field);
	auth_results_begin(&results, &field, "mx");
	auth_results_property(&results, "x", "\xc3\xbc@a.b");
	auth_results_property(&results, "y", "\xc3@a.b");
	auth_results_property(&results, "z", "\xc2\x85");
	is_text(field.data + 26, " x=\"\xc3\xbc@a.b\" y=\"?@a.b\" z=\"??\"",
		"UTF-8");
	str_free(&field);
}

static void test_long_values(void)
{
	static char longest[AUTH_RESULTS_LINE - 3], longer[sizeof longest + 1];
	struct auth_results results = { 0 };
	struct str field = { 0 };

	memset(longest, 'a', sizeof longest - 1);
	memset(longer, 'a', sizeof longer - 1);
	auth_results_begin(&results, &field, "mx");
	auth_results_add(&results, "auth", "pass");
	auth_results_property(&results, "a", longest);
	auth_results_property(&results, "b", longer);
	auth_results_property(&results, "c", "d");
	auth_results_add(&results, "x", "y");
	auth_results_end(&results);
	is_number((long long)strcspn(field.data, "\n"), 37, "a fold before it");
	/* It leaves room for the ';' that may follow. */
	is_number((long long)strcspn(field.data + 38, "\n"), 997,
		  "the longest line");
	is_text(field.data + 38 + 997, "\n\tc=d;\n\tx=y\n",
		"one too long is left out");
	str_free(&field);
}

int main(void)
{
	test_rows();
	test_length("mx.example.net", 1000, false);
	test_length("mx.example.com", 1000, true);
	test_length("mx.example.net", 2500, false);
	test_length("mx.example.com", 2500, false);
	test_length("mx.example.com", 100000, false);
	test_long_field("mx.example.net", false);
	test_long_field("mx.example.com", true);
	test_u_labels();
	test_writing();
	test_values();
	test_long_values();
	return done_testing();
}
