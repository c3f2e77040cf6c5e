/* Rules: what they say, and which one counts.
   SPDX-License-Identifier: ISC */
#include "mail/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "system/table_maker.h"
#include "tap.h"

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

		if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0) abort();
		table_make_start(&maker, fd);
		for (size_t i = RUNGS; i > first; i--)
			add(&maker, rungs[i - 1]);
		table_make_finish(&maker, NULL);
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
	table_make_finish(&maker, NULL);
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

/* The networks that a client is in, smallest first, whatever their keys look
   like; and no search for lengths that the table does not say it has. The last key
   of all, the empty one, is left out below. */
static void test_networks(void)
{
	static const struct {
		const char *lengths, *ip, *wanted; /* \n for each NUL */
	} rows[] = {
		{ "", "10.1.2.3", "10.1.2.3|10.1.2.|10.1.|10.|" },
		{ "4 12\n", "10.17.2.3",
		  "10.17.2.3|10.17.2.|10.17.|10.16.0.0/12|10.|" },
		{ "4 31 17 9 0\n", "10.255.255.255",
		  "10.255.255.255|10.255.255.254/31|10.255.255.|"
		  "10.255.128.0/17|10.255.|10.128.0.0/9|10.|0.0.0.0/0|" },
		{ "4 24\n", "10.1.2.3",
		  "10.1.2.3|10.1.2.|10.1.2.0/24|10.1.|10.|" },
		{ "6 64\n", "10.1.2.3", "10.1.2.3|10.1.2.|10.1.|10.|" },
		{ "4 30\n6 64 48 32\n", "2001:db8:1:2:3::4",
		  "2001:db8:1:2:3::4|2001:db8:1:2:3::|2001:db8:1:2:3:|"
		  "2001:db8:1:2:|2001:db8:1:2::/64|2001:db8:1:|"
		  "2001:db8:1::/48|2001:db8:|2001:db8::/32|2001:|" },
		{ "6 127 64 47 0\n", "2001:db8::5",
		  "2001:db8::5|2001:db8::4/127|2001:db8::|2001:db8::/64|"
		  "2001:db8::/47|2001:db8:|2001:|::/0|" },
		{ "6 128 112 111\n", "::1", "::1|::1/128|::|::/112|::/111|:|" },
		{ "6 128\n", "2001:db8::",
		  "2001:db8::|2001:db8::|2001:db8::/128|2001:db8:|2001:|" },
		{ "6 100 99\n", "1:2:3:4:5:6:7:8",
		  "1:2:3:4:5:6:7:8|1:2:3:4:5:6:7:|1:2:3:4:5:6::/100|"
		  "1:2:3:4:5:6::/99|1:2:3:4:5:6:|1:2:3:4:5:|1:2:3:4:|"
		  "1:2:3:|1:2:|1:|" },
		{ "4 12\n", "10.17.2.", "10.17.2.|10.17.2.|10.17.|10.|" },
		{ "4 12\n", "mx.example", "mx.example|mx.|" },
		/* Lists that tcprules did not make. */
		{ "4 12", "10.17.2.3", "10.17.2.3|10.17.2.|10.17.|10.|" },
		{ "5 5\n4\n4 12\n", "10.17.2.3",
		  "10.17.2.3|10.17.2.|10.17.|10.|" },
		{ "4 33 12\n", "10.17.2.3", "10.17.2.3|10.17.2.|10.17.|10.|" },
		{ "4 12 12\n", "10.17.2.3",
		  "10.17.2.3|10.17.2.|10.17.|10.16.0.0/12|10.|" },
		{ "4 9 12\n", "10.17.2.3",
		  "10.17.2.3|10.17.2.|10.17.|10.0.0.0/9|10.|" },
		{ "4 12x 9\n", "10.17.2.3",
		  "10.17.2.3|10.17.2.|10.17.|10.16.0.0/12|10.|" },
		{ "4 -12\n", "10.17.2.3", "10.17.2.3|10.17.2.|10.17.|10.|" },
		{ "4 4294967308\n", "10.17.2.3",
		  "10.17.2.3|10.17.2.|10.17.|10.|" },
		{ "+A=4 12\nD\n", "10.17.2.3",
		  "10.17.2.3|10.17.2.|10.17.|10.|" },
	};
	char path[] = "/tmp/rules-XXXXXX";
	struct str tried = { 0 };
	struct rules_match match = { .tried = &tried };
	int fd = mkstemp(path);

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct rules_client client = { rows[i].ip, NULL, NULL };
		struct table_maker maker;
		struct table table = { 0 };
		struct str lengths = { 0 };

		if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0) abort();
		for (const char *at = rows[i].lengths; *at; at++)
			str_append_byte(&lengths, *at == '\n' ? '\0' : *at);
		table_make_start(&maker, fd);
		if (lengths.length)
			table_make_add(&maker, "/", 1, lengths.data,
				       lengths.length);
		table_make_finish(&maker, NULL);
		table_open(&table, path);
		str_clear(&tried);
		rules_find(&table, &client, &match);
		rules_find(&table, &client, &match);
		for (size_t j = 0; j < tried.length; j++)
			if (!tried.data[j]) tried.data[j] = '|';
		is_bytes(tried.data, tried.length / 2 - 1, rows[i].wanted,
			 strlen(rows[i].wanted), rows[i].ip);
		table_close(&table);
		str_free(&lengths);
	}
	close(fd);
	unlink(path);
	str_free(&match.key);
	str_free(&tried);
}

int main(void)
{
	test_items();
	test_ladder();
	test_unknown();
	test_networks();
	return done_testing();
}
