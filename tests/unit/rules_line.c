/* The lines of a rules file: which are rules, what they become, and what is
   remarked on.
   SPDX-License-Identifier: ISC */
#include "mail/rules_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

/* The keys with a blank behind each, then the items in brackets, then a "!"
   when there is a remark. */
static void describe(const char *line, size_t length, struct str *text)
{
	struct rules_rule rule = { 0 };
	const char *key;
	size_t key_length;

	str_clear(text);
	switch (rules_parse_line(line, length, &rule)) {
	case RULES_NOTHING: str_append_text(text, "nothing"); break;
	case RULES_NO_COLON: str_append_text(text, "no colon"); break;
	case RULES_MALFORMED:
		str_append_text(text, rule.mistake ? "malformed" : "?");
		break;
	case RULES_RULE:
		while (rules_next_key(&rule, &key, &key_length)) {
			str_append(text, key, key_length);
			str_append_byte(text, ' ');
		}
		for (size_t i = 0; i < rule.data.length; i++) {
			bool begins = i == 0 || !rule.data.data[i - 1];

			if (begins) str_append_byte(text, '[');
			str_append_byte(text, rule.data.data[i]
						      ? rule.data.data[i]
						      : ']');
		}
		if (rule.remark) str_append_byte(text, '!');
		break;
	}
	str_free(&rule.data);
	str_free(&rule.key);
	str_free(&rule.instruction);
}

static void test_lines(void)
{
	static const struct {
		const char *line;
		const char *wanted;
	} rows[] = {
		{ "", "nothing" },
		{ " \t\n", "nothing" },
		{ "#1.2.3.4:allow", "nothing" },
		{ " #", "no colon" },
		{ "1.2.3.4 allow", "no colon" },
		{ ":allow", " " },
		{ " :allow", "  !" },
		{ "1.2.3.4:allow \t ", "1.2.3.4 " },
		{ "1.2.3.4:deny", "1.2.3.4 [D]" },
		{ "1.2.3.4: allow", "malformed" },
		{ ":allowx", "malformed" },
		{ "x:ALLOW", "malformed" },
		{ ":", "malformed" },
		{ "x:", "malformed" },
		{ "x:den", "malformed" },
		{ "1.2.3.4:deny#x", "malformed" },
		{ "1.2.3.4:allow\r", "malformed" },
		{ "1.2.3.4:allow,", "malformed" },
		{ "1.2.3.4:allow,A", "malformed" },
		{ "1.2.3.4:allow,A=", "malformed" },
		{ "1.2.3.4:allow,A=\"x", "malformed" },
		{ "1.2.3.4:allow,A=\"x\",", "malformed" },
		{ "1.2.3.4:allow,A=\"x\"y", "malformed" },
		{ "1.2.3.4:allow,A=\"x\" ,B=\"y\"", "malformed" },
		{ "x:allow,A=\"\"", "x [+A=]!" },
		{ "x:allow,A=,,,B=xyx", "x [+A=][+B=y]!" },
		{ "x:allow,X=/a\"b/", "x [+X=a\"b]!" },
		{ "x:allow,A=\"b=c\"", "x [+A=b=c]!" },
		{ "x:allow,=\"x\"", "x [+=x]!" },
		{ "x:deny,Y=\"z\"", "x [D][+Y=z]!" },
		{ "x:allow,A=\"y:deny\"", "x [+A=y:deny]!" },
		{ "1.2.3.5-2:allow", "!" },
		{ "1.2.3.253-300:allow", "1.2.3.253 1.2.3.254 1.2.3.255 " },
		{ "254-99999999999999999999:allow", "254 255 !" },
		{ "4294967295-4294967297:allow", "!" },
		{ "18446744073709551616-2:allow", "!" },
		{ "1.2.3.a-5:allow", "malformed" },
		{ "1.2.3.4-x:allow", "malformed" },
		{ "1-2-3:allow", "malformed" },
		{ "5-:allow", "!" },
		{ "-2:allow", "0 1 2 !" },
		{ "-:allow", "0 !" },
		{ "1.-1.:allow", "1.0. 1.1. " },
		{ "a-b@c:allow", "a-b@c !" },
		{ "=a-b.c:allow", "=a-b.c " },
		{ "1.2.3.1-2.3-4:allow", "1.2.3.1.3-4 1.2.3.2.3-4 !" },
		{ "10.2-3.:deny", "10.2. 10.3. [D]" },
		{ "1.2.3.01-02:allow", "1.2.3.1 1.2.3.2 " },
		{ "2001:db8::1:allow,A=\"x\"", "2001:db8::1 [+A=x]" },
		{ "2001:db8::deny", "2001:db8: [D]" },
		{ "2001:db8:1:deny", "2001:db8:1 [D]!" },
		{ "::1:allow", "::1 " },
		{ "::deny", ": [D]" },
		{ "::ffff:1.2.3.:deny", "::ffff:1.2.3. [D]!" },
		{ "::ffff:1.2.3.4-5:allow", "::ffff:1.2.3.4 ::ffff:1.2.3.5 !" },
		{ "me@2001:db8::1:allow", "me@2001:db8::1 " },
		{ "2001:db8::1-5:allow", "malformed" },
		{ "1.2.3.4:25:deny", "malformed" },
		{ "host:x:deny", "malformed" },
		{ "a:b@::1:deny", "malformed" },
		{ ":allow:deny", "malformed" },
		{ "1.2.3.4:permit,A=\"b:deny,C=x\"", "malformed" },
		{ "::1:", "malformed" },
		{ "foo=bar:allow", "foo=bar !" },
		/* Addresses in any spelling. */
		{ "2001:DB8:0::0001:allow", "2001:db8::1 " },
		{ "[2001:DB8:0::0001]:allow", "2001:db8::1 " },
		{ "[2001:db8::1]:deny,A=\"x\"", "2001:db8::1 [D][+A=x]" },
		{ "::ffff:192.0.2.1:deny", "192.0.2.1 [D]" },
		{ "[::ffff:c000:201]:deny", "192.0.2.1 [D]" },
		{ "[192.0.2.1]:deny", "192.0.2.1 [D]" },
		{ "[::]:deny", "::/128 [D]" },
		{ ":::deny", ":: [D]" },
		{ "[2001:db8::]:deny", "2001:db8::/128 [D]" },
		{ "2001:db8:::deny", "2001:db8:: [D]" },
		{ "me@[2001:DB8::1]:allow", "me@2001:db8::1 " },
		{ "me@2001:DB8::1:allow", "me@2001:db8::1 " },
		{ "me@::ffff:192.0.2.1:allow", "me@192.0.2.1 " },
		{ "a/b@192.0.2.1:allow", "a/b@192.0.2.1 " },
		{ "[2001:db8::1:allow", "malformed" },
		{ "[2001:db8::1]x:allow", "malformed" },
		{ "[2001:db8:]:allow", "malformed" },
		{ "[]:allow", "malformed" },
		{ "[:allow", "malformed" },
		{ "[1.2.3.]:allow", "malformed" },
		{ "[mx]:allow", "malformed" },
		{ "[2001:db8::1]:25:allow", "malformed" },
		/* Networks. */
		{ "10.0.0.0/8:deny", "10. [D]" },
		{ "10.20.0.0/16:deny", "10.20. [D]" },
		{ "10.20.30.0/24:deny", "10.20.30. [D]" },
		{ "10.20.30.40/32:deny", "10.20.30.40 [D]" },
		{ "10.16.0.0/12:allow", "10.16.0.0/12 " },
		{ "10.20.30.40/31:allow", "10.20.30.40/31 " },
		{ "0.0.0.0/0:allow", "0.0.0.0/0 " },
		{ "0.0.0.0/1:allow", "0.0.0.0/1 " },
		{ "10.20.30.40/12:allow", "10.16.0.0/12 !" },
		{ "10.20.30.40/8:allow", "10. !" },
		{ "10/8:allow", "10. " },
		{ "10./8:allow", "10. " },
		{ "172.16/12:allow", "172.16.0.0/12 " },
		{ "192.168.8/21:allow", "192.168.8.0/21 " },
		{ "0/0:allow", "0.0.0.0/0 " },
		{ "[10.0.0.0]/8:deny", "10. [D]" },
		{ "2001:db8::/32:deny", "2001:db8::/32 [D]" },
		{ "[2001:DB8::]/32:deny", "2001:db8::/32 [D]" },
		{ "2001:db8:1:2:3::/64:deny", "2001:db8:1:2::/64 [D]!" },
		{ "2001:db8::1/128:deny", "2001:db8::1 [D]" },
		{ "2001:db8::/128:deny", "2001:db8::/128 [D]" },
		{ "::/0:deny", "::/0 [D]" },
		{ "::ffff:10.0.0.0/104:deny", "10. [D]" },
		{ "::ffff:0.0.0.0/96:deny", "0.0.0.0/0 [D]" },
		{ "::ffff:192.0.2.1/128:deny", "192.0.2.1 [D]" },
		{ "::ffff:0.0.0.0/95:deny", "malformed" },
		{ "10.0.0.0/33:allow", "malformed" },
		{ "10.0.0.0/:allow", "malformed" },
		{ "10.0.0.0/08:allow", "malformed" },
		{ "10.0.0.0/-1:allow", "malformed" },
		{ "10.0.0.0/8/8:allow", "malformed" },
		{ "10.0.0.0/255.0.0.0:allow", "malformed" },
		{ "10.0.0.0/4294967304:allow", "malformed" },
		{ "10/16:allow", "malformed" },
		{ "10.0.0.0./8:allow", "malformed" },
		{ "10.0.0.256/8:allow", "malformed" },
		{ "10.0.0.00/8:allow", "malformed" },
		{ "10.0.0.0.0/8:allow", "malformed" },
		{ "10.0-1.0.0/16:allow", "malformed" },
		{ "/8:allow", "malformed" },
		{ "/:allow", "malformed" },
		{ "mx.example/24:allow", "malformed" },
		{ "2001:db8::/129:allow", "malformed" },
		{ "2001:db8::x/32:allow", "malformed" },
		{ "2001:db8::/32/32:allow", "malformed" },
		{ "[2001:db8::/32]:allow", "malformed" },
		{ "2001:db8:/32:allow", "malformed" },
		{ "2001:db8:::/32:allow", "malformed" },
		{ "fe80::1%lo:allow", "malformed" },
	};
	struct str got = { 0 };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		describe(rows[i].line, strlen(rows[i].line), &got);
		is_text(got.data, rows[i].wanted, rows[i].line);
	}
	describe("a\0b:allow", 9, &got);
	is_text(got.data, "malformed", "a NUL in an address");
	describe(":allow,A=\"\0\"", 12, &got);
	is_text(got.data, "malformed", "a NUL in a value");
	describe(":allow,A=\0x\0", 12, &got);
	is_text(got.data, "malformed", "a NUL as the quote");
	describe("a\0b", 3, &got);
	is_text(got.data, "no colon", "a NUL in a line without a colon");
	str_free(&got);
}

/* Keys that a look-up can form, and keys that none can. */
static void test_remarks(void)
{
	static const char dot[] = "the beginning of an address ends";
	static const char form[] = "no address has this form";
	static const char whole[] = "behind an @ stands a whole address";
	static const char no_host[] = "no host has this name";
	static const char no_text[] = "no address's text";
	static const struct {
		const char *address, *wanted; /* NULL: it is looked up */
	} rows[] = {
		{ "", NULL },
		{ "1.2.3.4", NULL },
		{ "255.255.255.255", NULL },
		{ "1.2.3.", NULL },
		{ "1.2.", NULL },
		{ "0.", NULL },
		{ "1.2.3.0-9", NULL },
		{ "1.2-3.", NULL },
		{ "250-300.", NULL },
		{ "1.2.3", dot },
		{ "1", dot },
		{ "1-2", dot },
		{ "1.2.3.4.", "a whole address has no dot" },
		{ "1.2.3.4.5", form },
		{ "1.2.3.4.5.", form },
		{ "1.2.3.256", form },
		{ "1.2.3.1000", form },
		{ "01.2.", form },
		{ "1.2.3.04", form },
		{ "1..2", form },
		{ ".1", form },
		{ ".", form },
		{ "1.2.3.4 ", form },
		{ "mx.example", form },
		{ "*", form },
		{ "all", form },
		{ "1.2.*", form },
		{ " 1.2.3.4", "a blank before the address" },
		{ " ", "a blank before the address" },
		{ "\t", "a blank before the address" },
		{ "1.2.3.5-2", "its range is empty" },
		{ "5-2", "its range is empty" },
		{ "256-300.", "its range is empty" },
		{ "1.2-3.4-5", "only the first range" },
		{ "1.2.3.01-03", NULL },
		{ "=", NULL },
		{ "=mx.example", NULL },
		{ "=mx-1_a.example", NULL },
		{ "=localhost", NULL },
		{ "=.example", NULL },
		{ "=.a.example", NULL },
		{ "=MX.example", "host names are in lower case" },
		{ "=.Example", "host names are in lower case" },
		{ "=mx.example.", "host names have no dot behind" },
		{ "=.", "host names have no dot behind" },
		{ "=mx..example", no_host },
		{ "= mx.example", no_host },
		{ "=*.example", no_host },
		{ "=mx.example\r", no_host },
		{ "joe@1.2.3.4", NULL },
		{ "@1.2.3.4", NULL },
		{ "a@b@1.2.3.4", NULL },
		{ "a=b@1.2.3.4", NULL },
		{ "joe@=mx.example", NULL },
		{ "=@1.2.3.4", NULL },
		{ "joe@2001:db8::1", NULL },
		{ "joe@::", NULL },
		{ "joe@[2001:db8::1]", NULL },
		{ "joe@=MX.example", "host names are in lower case" },
		{ "joe@=.example", whole },
		{ "joe@=", whole },
		{ "joe@1.2.3.", whole },
		{ "joe@1.2.3", whole },
		{ "joe@1.2.3.4-5", whole },
		{ "joe@10.0.0.0/8", whole },
		{ "joe@2001:db8::/32", whole },
		{ "joe@2001:db8:", whole },
		{ "joe@[mx]", whole },
		{ "joe@mx.example", whole },
		{ "joe@", whole },
		{ "joe b@1.2.3.4", "has no blanks" },
		{ " joe@1.2.3.4", "has no blanks" },
		{ "2001:db8::1", NULL },
		{ "2001:DB8::1", NULL },
		{ "2001:db8:", NULL },
		{ "2001:db8:1::", NULL },
		{ "2001:", NULL },
		{ ":", NULL },
		{ "::", NULL },
		{ "0:", NULL },
		{ "0:0:", NULL },
		{ "0:0:0:", NULL },
		{ "2001:0:0:", NULL },
		{ "2001::1:", NULL },
		{ "::1:0:0:", NULL },
		{ "1:2:3:4:5:6:7:", NULL },
		{ "1:0:0:0:", no_text },
		{ "0:0:0:0:", no_text },
		{ "1::2:0:0:0:", no_text },
		{ "2001:DB8:", no_text },
		{ "2001:0db8:", no_text },
		{ "2001:db8", no_text },
		{ "2001:db8:1", no_text },
		{ "1:2:3:4:5:6:7:8:", no_text },
		{ "1::2::", no_text },
		{ "12345:", no_text },
		{ "::ffff:1.2.3.", no_text },
	};
	struct rules_rule rule = { 0 };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char line[80], name[80];
		int length = snprintf(line, sizeof line, "%s:allow",
				      rows[i].address);
		enum rules_line kind =
			rules_parse_line(line, (size_t)length, &rule);

		snprintf(name, sizeof name, "remark: %s", rows[i].address);
		if (!ok(kind == RULES_RULE && !rule.remark == !rows[i].wanted &&
				(!rule.remark ||
				 strstr(rule.remark, rows[i].wanted)),
			name))
			printf("# got: %s\n",
			       rule.remark ? rule.remark : "(NULL)");
	}
	str_free(&rule.data);
	str_free(&rule.key);
	str_free(&rule.instruction);
}

/* A rule that is used again for line after line says what each one says. */
static void test_reuse(void)
{
	static const struct {
		const char *line, *data; /* NULL: malformed */
		size_t length;
	} rows[] = {
		{ "1.2.3.4:deny", "D", 2 },
		{ "1.2.3.5:deny", "D", 2 },
		{ "1.2.3.6:denx", NULL, 0 },
		{ "1.2.3.7:deny", "D", 2 },
		{ "=x:deny", "D", 2 },
		{ "1.2.3.4:allow", "", 0 },
		{ "1.2.3.5:allow", "", 0 },
		{ "1.2.3.4:allow,A=\"x\"", "+A=x", 5 },
		{ "1.2.3.4:allow,A=\"y\"", "+A=y", 5 },
		{ "1.2.3.4:allow,A=\"y", NULL, 0 },
		{ "1.2.3.4:allow,A=\"y", NULL, 0 },
		{ "10.0.0.0/33:allow,A=\"y\"", NULL, 0 },
		{ "1.2.3.4:allow,A=\"y\"", "+A=y", 5 },
	};
	struct rules_rule rule = { 0 };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (rules_parse_line(rows[i].line, strlen(rows[i].line),
				     &rule) != RULES_RULE)
			ok(!rows[i].data, rows[i].line);
		else
			is_bytes(rule.data.data, rule.data.length, rows[i].data,
				 rows[i].length, rows[i].line);
	}
	str_free(&rule.data);
	str_free(&rule.key);
	str_free(&rule.instruction);
}

static void test_lengths(void)
{
	static const char *const lines[] = {
		"10.0.0.0/8:allow",    "10.0.0.0/9:allow",
		"0.0.0.0/0:allow",     "1.2.3.4:allow",
		"2001:db8::1:allow",   "10.0.0.0/31:allow",
		"192.0.2.0/31:deny",   "2001:db8::/32:allow",
		"2001:db8::/128:allow"
	};
	static const char wanted[] = "4 31 9 0\0"
				     "6 128 32";
	struct rules_lengths lengths = { 0 };
	struct rules_rule rule = { 0 };
	struct str data = { 0 };

	ok(!rules_list_lengths(&lengths, &data), "no networks, no list");
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		rules_parse_line(lines[i], strlen(lines[i]), &rule);
		rules_note_length(&lengths, &rule);
	}
	ok(rules_list_lengths(&lengths, &data), "networks are listed");
	is_bytes(data.data, data.length, wanted, sizeof wanted,
		 "by their lengths, longest first");
	str_free(&data);
	str_free(&rule.data);
	str_free(&rule.key);
	str_free(&rule.instruction);
}

int main(void)
{
	test_lines();
	test_remarks();
	test_reuse();
	test_lengths();
	return done_testing();
}
