/* Rules: which lines are rules, what they become, and which one counts.
   SPDX-License-Identifier: ISC */
#include "mail/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "system/file.h"
#include "tap.h"

/* The keys with a blank behind each, then the items in brackets. */
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
		break;
	}
	str_free(&rule.data);
	str_free(&rule.key);
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
		{ " :allow", "  " },
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
		{ "x:allow,A=\"\"", "x [+A=]" },
		{ "x:allow,A=,,,B=xyx", "x [+A=][+B=y]" },
		{ "x:allow,X=/a\"b/", "x [+X=a\"b]" },
		{ "x:allow,A=\"b=c\"", "x [+A=b=c]" },
		{ "x:allow,=\"x\"", "x [+=x]" },
		{ "x:deny,Y=\"z\"", "x [D][+Y=z]" },
		{ "x:allow,A=\"y:deny\"", "x [+A=y:deny]" },
		{ "1.2.3.5-2:allow", "" },
		{ "1.2.3.253-300:allow", "1.2.3.253 1.2.3.254 1.2.3.255 " },
		{ "254-99999999999999999999:allow", "254 255 " },
		{ "4294967295-4294967297:allow", "" },
		{ "18446744073709551616-2:allow", "" },
		{ "1.2.3.a-5:allow", "malformed" },
		{ "1.2.3.4-x:allow", "malformed" },
		{ "1-2-3:allow", "malformed" },
		{ "5-:allow", "" },
		{ "-2:allow", "0 1 2 " },
		{ "-:allow", "0 " },
		{ "1.-1.:allow", "1.0. 1.1. " },
		{ "a-b@c:allow", "a-b@c " },
		{ "=a-b.c:allow", "=a-b.c " },
		{ "1.2.3.1-2.3-4:allow", "1.2.3.1.3-4 1.2.3.2.3-4 " },
		{ "10.2-3.:deny", "10.2. 10.3. [D]" },
		{ "1.2.3.01-02:allow", "1.2.3.1 1.2.3.2 " },
		{ "2001:db8::1:allow,A=\"x\"", "2001:db8::1 [+A=x]" },
		{ "2001:db8::deny", "2001:db8: [D]" },
		{ "2001:db8:1:deny", "2001:db8:1 [D]" },
		{ "::1:allow", "::1 " },
		{ "::deny", ": [D]" },
		{ "::ffff:1.2.3.:deny", "::ffff:1.2.3. [D]" },
		{ "::ffff:1.2.3.4-5:allow", "::ffff:1.2.3.4 ::ffff:1.2.3.5 " },
		{ "me@2001:db8::1:allow", "me@2001:db8::1 " },
		{ "2001:db8::1-5:allow", "malformed" },
		{ "1.2.3.4:25:deny", "malformed" },
		{ "host:x:deny", "malformed" },
		{ "a:b@::1:deny", "malformed" },
		{ ":allow:deny", "malformed" },
		{ "1.2.3.4:permit,A=\"b:deny,C=x\"", "malformed" },
		{ "::1:", "malformed" },
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

static void test_items(void)
{
	static const char data[] = "+A=1\0Xskip\0\0D\0+B=\0tail";
	size_t at = 0, length = sizeof data - 1;

	is_text(rules_next_item(data, length, &at), "+A=1", "first item");
	is_text(rules_next_item(data, length, &at), "D",
		"other items are passed over");
	is_text(rules_next_item(data, length, &at), "+B=", "last item");
	is_text(rules_next_item(data, length, &at), NULL,
		"a piece without its NUL is passed over");
	is_text(rules_next_item(data, length, &at), NULL, "it stays the end");
	ok(rules_deny(data, length), "a D anywhere denies");
	ok(!rules_deny("", 0), "no data allows");
	ok(!rules_deny("D", 1), "a D without its NUL is none");
	ok(!rules_deny("+D=D", 5), "a D elsewhere is none");
}

static void add(struct table_maker *maker, const char *key)
{
	table_make_add(maker, key, strlen(key), key, strlen(key) + 1);
}

static void test_ladder(void)
{
	static const char *const rungs[] = {
		"me@192.0.2.1",
		"me@=mx.a.example",
		"192.0.2.1",
		"=mx.a.example",
		"192.0.2.",
		"192.0.",
		"192.",
		"=.a.example",
		"=.example",
		"=",
		"",
	};
	enum { RUNGS = sizeof rungs / sizeof *rungs };
	const struct rules_client client = { "192.0.2.1", "mx.a.example",
					     "me" };
	struct rules_match match = { 0 };
	char path[] = "/tmp/rules-XXXXXX";
	int fd = mkstemp(path);

	for (size_t first = 0; first <= RUNGS; first++) {
		struct table_maker maker;
		struct table table = { 0 };
		enum table_answer answer;
		char name[80];

		if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0) break;
		table_make_start(&maker, fd);
		for (size_t i = RUNGS; i > first; i--)
			add(&maker, rungs[i - 1]);
		table_make_finish(&maker);
		table_open(&table, path);
		answer = rules_find(&table, &client, &match);
		if (first == RUNGS) {
			ok(answer == TABLE_ABSENT && !match.data_length,
			   "no rule at all");
		} else {
			snprintf(name, sizeof name, "rung %zu: %s", first,
				 rungs[first]);
			is_text(answer == TABLE_FOUND ? match.key.data : NULL,
				rungs[first], name);
		}
		table_close(&table);
	}
	close(fd);
	unlink(path);
	str_free(&match.key);
}

/* Who is found with what is known of a client. */
static void test_unknown(void)
{
	static const struct {
		const char *ip, *host, *info, *wanted;
	} rows[] = {
		{ "198.51.100.1", NULL, NULL, "" },
		{ "198.51.100.1", "x", NULL, "=" },
		{ "198.51.100.1", "", NULL, "=" },
		{ "198.51.100.1", "mx.a.example", NULL, "=.a.example" },
		{ "198.51.100.1", "a.example", NULL, "=.example" },
		{ "192.0.2.1", NULL, "you", "192.0.2." },
		{ "192.0.2.", NULL, NULL, "192.0.2." },
		{ "192.0.20.1", NULL, NULL, "192." },
		{ "", "x", NULL, "" },
		{ NULL, NULL, NULL, "" },
		{ NULL, "x", "you", "=" },
		{ "2001:db8::1", NULL, NULL, "2001:db8::" },
		{ "2001:db8:1::9", NULL, NULL, "2001:db8:" },
		{ "2001:db80::1", NULL, NULL, "" },
	};
	static const char *const keys[] = {
		"",           "=",           "192.",
		"192.0.2.",   "=.a.example", "=.example",
		"2001:db8::", "2001:db8:",
	};
	struct rules_match match = { 0 };
	char path[] = "/tmp/rules-XXXXXX";
	struct table_maker maker;
	struct table table = { 0 };
	int fd = mkstemp(path);

	table_make_start(&maker, fd);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		add(&maker, keys[i]);
	table_make_finish(&maker);
	close(fd);
	is_number(table_open(&table, path), 0, "the table opens");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct rules_client client = { rows[i].ip, rows[i].host,
						     rows[i].info };
		char name[100];

		snprintf(name, sizeof name, "%s, %s, %s",
			 rows[i].ip ? rows[i].ip : "no IP",
			 rows[i].host ? rows[i].host : "no host",
			 rows[i].info ? rows[i].info : "no info");
		rules_find(&table, &client, &match);
		is_text(match.key.data, rows[i].wanted, name);
		is_bytes(match.data, match.data_length, rows[i].wanted,
			 strlen(rows[i].wanted) + 1, "with its own data");
	}
	table_close(&table);
	unlink(path);
	str_free(&match.key);
}

int main(void)
{
	test_lines();
	test_items();
	test_ladder();
	test_unknown();
	return done_testing();
}
