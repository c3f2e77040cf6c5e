/* The greylist in Redis: what is asked, and what is made of the answers. The
   server is this same process, which has answered before it is asked; a real
   one is in tests/programs/jgreylist-redis.t.
   SPDX-License-Identifier: ISC */
#include "mail/greylist_redis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap.h"

enum { NOW = 1700000000, HOLD = 120, DAY = 86400 };

static int server;

/* A store whose server has said `answers` and nothing more. */
static struct greylist_redis store_saying(const char *answers, size_t length)
{
	struct greylist_redis redis = { .prefix = "p:",
					.link = { .seconds = 5 } };
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0) exit(1);
	redis.link.fd = ends[0];
	server = ends[1];
	if (write(server, answers, length) != (ssize_t)length) exit(1);
	shutdown(server, SHUT_WR);
	return redis;
}

/* What the server was asked, without the lengths. */
static const char *asked(void)
{
	static struct str text;
	char bytes[4096], *rest = bytes, *line;
	ssize_t length = read(server, bytes, sizeof bytes - 1);

	close(server);
	str_clear(&text);
	bytes[length > 0 ? length : 0] = '\0';
	while ((line = strsep(&rest, "\n"))) {
		line[strcspn(line, "\r")] = '\0';
		if (*line == '$' || !*line) continue;
		if (text.length > 0) str_append_byte(&text, ' ');
		str_append_text(&text, *line == '*' ? "|" : line);
	}
	return text.data ? text.data : "";
}

static struct greylist_contact contact_of(const char *ip,
					  enum greylist_unit unit)
{
	struct greylist_contact contact = { .hold_seconds = HOLD, .now = NOW };

	if (greylist_key_of_client(ip, unit, &contact.key) < 0) exit(1);
	return contact;
}

#define ASKED "| SET p:4:192.0.2 1700000000 NX GET EX 172800 | PTTL p:4:192.0.2"
#define NOTED ASKED " | EXPIRE p:4:192.0.2 3110400"
#define LONG_ERROR                                                             \
	"ERR 56789.123456789.123456789.123456789.123456789.123456789."         \
	"123456789.123456789.123456789.123456789.123456789.123456789."         \
	"123456789.123456789.123456789.1234567"

#define BYTES(literal) literal, sizeof(literal) - 1

static const struct {
	const char *name;
	const char *answers;
	size_t length;
	enum greylist_state state;
	const char *cause; /* NULL: none */
	const char *asked;
} contacts[] = {
	{ "no entry", BYTES("$-1\r\n:172800000\r\n"), GREYLIST_FIRST, NULL,
	  ASKED },
	{ "a null of RESP3", BYTES("*-1\r\n:172800000\r\n"), GREYLIST_FIRST,
	  NULL, ASKED },
	{ "an entry of 119 s", BYTES("$10\r\n1699999881\r\n:172681000\r\n"),
	  GREYLIST_TOO_SOON, NULL, ASKED },
	{ "an entry of 120 s, not let in before",
	  BYTES("$10\r\n1699999880\r\n:172680000\r\n:1\r\n"), GREYLIST_KNOWN,
	  NULL, NOTED },
	{ "one that was here a minute ago",
	  BYTES("$10\r\n1600000000\r\n:3110340000\r\n"), GREYLIST_KNOWN, NULL,
	  ASKED },
	{ "one that was here before that",
	  BYTES("$10\r\n1600000000\r\n:3110339000\r\n:1\r\n"), GREYLIST_KNOWN,
	  NULL, NOTED },
	{ "one that would stay for ever",
	  BYTES("$10\r\n1600000000\r\n:-1\r\n:1\r\n"), GREYLIST_KNOWN, NULL,
	  NOTED },
	{ "one that went meanwhile",
	  BYTES("$10\r\n1600000000\r\n:-2\r\n:0\r\n"), GREYLIST_KNOWN, NULL,
	  NOTED },
	{ "one from the future", BYTES("$10\r\n1700000009\r\n:172800000\r\n"),
	  GREYLIST_TOO_SOON, NULL, ASKED },
	{ "it cannot be noted",
	  BYTES("$10\r\n1600000000\r\n:1\r\n-READONLY no\r\n"), GREYLIST_KNOWN,
	  "READONLY no", NOTED },
	{ "no answer when it is noted", BYTES("$10\r\n1600000000\r\n:1\r\n"),
	  GREYLIST_KNOWN, "hung up", NOTED },
	{ "an answer in place of a number",
	  BYTES("$10\r\n1600000000\r\n$1\r\n1\r\n+OK\r\n"), GREYLIST_KNOWN,
	  "junk", NOTED },

	{ "an error", BYTES("-LOADING I am\r\n-LOADING I am\r\n"),
	  GREYLIST_FAILED, "LOADING I am", ASKED },
	{ "an error that is not printable",
	  BYTES("-ERR a\0b\033[1m\377\r\n:1\r\n"), GREYLIST_FAILED,
	  "ERR a?b?[1m?", ASKED },
	{ "an empty error", BYTES("-\r\n:1\r\n"), GREYLIST_FAILED,
	  "an error that says nothing", ASKED },
	{ "an error of 157 bytes", BYTES("-" LONG_ERROR "\r\n:1\r\n"),
	  GREYLIST_FAILED, LONG_ERROR, ASKED },
	{ "no number", BYTES("$2\r\nhi\r\n:1\r\n"), GREYLIST_FAILED, "junk",
	  ASKED },
	{ "an empty value", BYTES("$0\r\n\r\n:1\r\n"), GREYLIST_FAILED, "junk",
	  ASKED },
	{ "a negative one", BYTES("$2\r\n-1\r\n:1\r\n"), GREYLIST_FAILED,
	  "junk", ASKED },
	{ "the last time there is",
	  BYTES("$12\r\n253402300799\r\n:172800000\r\n"), GREYLIST_TOO_SOON,
	  NULL, ASKED },
	{ "one more", BYTES("$12\r\n253402300800\r\n:172800000\r\n"),
	  GREYLIST_FAILED, "junk", ASKED },
	{ "32 bytes",
	  BYTES("$32\r\n00000000000000000000001600000000\r\n"
		":3110400000\r\n"),
	  GREYLIST_KNOWN, NULL, ASKED },
	{ "33 bytes",
	  BYTES("$33\r\n000000000000000000000001600000000\r\n"
		":3110400000\r\n"),
	  GREYLIST_FAILED, "junk", ASKED },
	{ "a NUL", BYTES("$4\r\n16\0000\r\n:1\r\n"), GREYLIST_FAILED, "junk",
	  ASKED },
	{ "a list", BYTES("*1\r\n$1\r\n1\r\n:1\r\n"), GREYLIST_FAILED, "junk",
	  ASKED },
	{ "a list that is not to be stored",
	  BYTES("*2147483647\r\n$1\r\n1\r\n"), GREYLIST_FAILED, "hung up",
	  ASKED },
	{ "a list with an error in it", BYTES("*1\r\n-ERR in\r\n:1\r\n"),
	  GREYLIST_FAILED, "junk", ASKED },
	{ "a number", BYTES(":1\r\n:1\r\n"), GREYLIST_FAILED, "junk", ASKED },
	{ "a word", BYTES("+OK\r\n:1\r\n"), GREYLIST_FAILED, "junk", ASKED },
	{ "no protocol", BYTES("220 mail.example ESMTP\r\n"), GREYLIST_FAILED,
	  "junk", ASKED },
	{ "half an answer", BYTES("$10\r\n16000"), GREYLIST_FAILED, "hung up",
	  ASKED },
	{ "half of the answers", BYTES("$10\r\n1600000000\r\n"),
	  GREYLIST_FAILED, "hung up", ASKED },
	{ "nothing", BYTES(""), GREYLIST_FAILED, "hung up", ASKED },
};

static const char *or_none(const char *text)
{
	return text ? text : "(none)";
}

static void test_contacts(void)
{
	struct greylist_contact contact =
		contact_of("192.0.2.7", GREYLIST_BY_NETWORK);

	for (size_t i = 0; i < sizeof contacts / sizeof *contacts; i++) {
		struct greylist_redis redis =
			store_saying(contacts[i].answers, contacts[i].length);
		const char *cause = "not set";
		enum greylist_state state =
			greylist_redis_contact(&redis, &contact, &cause);
		char name[128];

		(void)snprintf(name, sizeof name, "%s: the state",
			       contacts[i].name);
		ok(state == contacts[i].state, name);
		(void)snprintf(name, sizeof name, "%s: the cause",
			       contacts[i].name);
		is_text(or_none(cause), or_none(contacts[i].cause), name);
		is_text(asked(), contacts[i].asked, "what was asked");
		ok(redis.link.fd < 0, "it has hung up");
	}
}

/* More than the limit, without an end. */
static void test_endless(void)
{
	struct greylist_contact contact =
		contact_of("192.0.2.7", GREYLIST_BY_NETWORK);
	struct greylist_redis redis;
	struct str answers = { 0 };
	const char *cause;

	str_append_text(&answers, "$536870912\r\n");
	while (answers.length <= REDIS_ANSWERS) str_append_byte(&answers, 'x');
	redis = store_saying(answers.data, answers.length);
	ok(greylist_redis_contact(&redis, &contact, &cause) == GREYLIST_FAILED,
	   "a value of 512 MB is no value");
	is_text(cause, "an endless answer", "and nobody waits for its end");
	str_free(&answers);
	asked();
}

static void test_keys(void)
{
	static const struct {
		const char *ip;
		enum greylist_unit unit;
		const char *asked;
	} rows[] = {
		{ "192.0.2.1", GREYLIST_BY_NETWORK, "| DEL p:4:192.0.2" },
		{ "192.0.2.1", GREYLIST_BY_ADDRESS, "| DEL p:4:192.0.2.1" },
		{ "192.0.2.0", GREYLIST_BY_ADDRESS, "| DEL p:4:192.0.2.0" },
		{ "255.255.255.255", GREYLIST_BY_ADDRESS,
		  "| DEL p:4:255.255.255.255" },
		{ "::ffff:1.2.3.4", GREYLIST_BY_NETWORK, "| DEL p:4:1.2.3" },
		{ "2001:db8:1:2::3", GREYLIST_BY_NETWORK,
		  "| DEL p:6:20010db800010002" },
		{ "2001:db8:1:2::3", GREYLIST_BY_ADDRESS,
		  "| DEL p:6:20010db800010002-0000000000000003" },
		{ "::1", GREYLIST_BY_NETWORK, "| DEL p:6:0000000000000000" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct greylist_contact contact =
			contact_of(rows[i].ip, rows[i].unit);
		struct greylist_redis redis = store_saying(BYTES(":1\r\n"));
		const char *cause;

		ok(greylist_redis_forget(&redis, &contact.key, &cause) == 1,
		   "forgotten");
		is_text(asked(), rows[i].asked, rows[i].ip);
		greylist_redis_close(&redis);
	}
}

static void test_look(void)
{
	static const struct {
		const char *name;
		const char *answers;
		enum greylist_state state;
		time_t first, last;
	} rows[] = {
		{ "no entry", "$0\r\n\r\n:-2\r\n", GREYLIST_FIRST, 0, 0 },
		{ "too soon", "$10\r\n1699999990\r\n:172790000\r\n",
		  GREYLIST_TOO_SOON, NOW - 10, NOW - 10 },
		{ "never came back", "$10\r\n1699900000\r\n:72800000\r\n",
		  GREYLIST_KNOWN, NOW - 100000, NOW - 100000 },
		{ "was here now", "$10\r\n1699900000\r\n:3110399999\r\n",
		  GREYLIST_KNOWN, NOW - 100000, NOW },
		{ "was here, by the clock of a faster host",
		  "$10\r\n1699900000\r\n:3110409999\r\n", GREYLIST_KNOWN,
		  NOW - 100000, NOW },
		{ "was here a day ago", "$10\r\n1600000000\r\n:3023999001\r\n",
		  GREYLIST_KNOWN, 1600000000, NOW - DAY },
		{ "is about to be forgotten", "$10\r\n1600000000\r\n:1\r\n",
		  GREYLIST_KNOWN, 1600000000, NOW - 36 * DAY + 1 },
		{ "is kept for ever", "$10\r\n1600000000\r\n:-1\r\n",
		  GREYLIST_KNOWN, 1600000000, 1600000000 },
		{ "junk", "$33\r\n000000000000000000000001600000000\r\n:1\r\n",
		  GREYLIST_FAILED, 0, 0 },
	};
	struct greylist_contact contact =
		contact_of("192.0.2.7", GREYLIST_BY_NETWORK);

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct greylist_redis redis =
			store_saying(rows[i].answers, strlen(rows[i].answers));
		struct greylist_entry entry = { 0 };
		const char *cause;
		enum greylist_state state =
			greylist_redis_look(&redis, &contact, &entry, &cause);

		ok(state == rows[i].state &&
			   !cause == (state != GREYLIST_FAILED),
		   rows[i].name);
		if (rows[i].first)
			ok(entry.first == rows[i].first &&
				   entry.last == rows[i].last,
			   "its times");
		is_text(asked(),
			"| GETRANGE p:4:192.0.2 0 32 | PTTL p:4:192.0.2",
			"it only looks");
		greylist_redis_close(&redis);
	}
}

static void test_set(void)
{
	static const struct {
		const char *name;
		time_t first, last;
		const char *asked;
	} rows[] = {
		{ "a known one", NOW - HOLD - 1, NOW,
		  "| SET p:4:192.0.2 1699999879 EX 3110400" },
		{ "a known one of yesterday", NOW - 2 * DAY, NOW - DAY,
		  "| SET p:4:192.0.2 1699827200 EX 3024000" },
		{ "one that waits", NOW - 10, NOW,
		  "| SET p:4:192.0.2 1699999990 EX 172790" },
		{ "one whose time is over", NOW - 3 * DAY, NOW - 3 * DAY,
		  "| SET p:4:192.0.2 1699740800 EX 1" },
		{ "one from the future", NOW, NOW + DAY,
		  "| SET p:4:192.0.2 1700000000 EX 3110400" },
	};
	struct greylist_contact contact =
		contact_of("192.0.2.7", GREYLIST_BY_NETWORK);

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct greylist_redis redis = store_saying(BYTES("+OK\r\n"));
		struct greylist_entry entry = { rows[i].first, rows[i].last };
		const char *cause;

		ok(greylist_redis_set(&redis, &contact, &entry, &cause) == 0,
		   rows[i].name);
		is_text(asked(), rows[i].asked, "what was asked");
		greylist_redis_close(&redis);
	}
}

static void write_down(void *context, const struct greylist_key *key,
		       const struct greylist_entry *entry)
{
	char network[NET_NETWORK_TEXT];
	struct str *list = context;

	net_ip_format_network(&key->network, key->bits, network);
	str_append_text(list, network);
	str_append_byte(list, ' ');
	str_append_number(list, (unsigned long)entry->first);
	str_append_byte(list, ' ');
	str_append_number(list, (unsigned long)entry->last);
	str_append_byte(list, '\n');
}

static void test_list(void)
{
	static const char answers[] =
		/* The first part: two entries, and keys that are none. */
		"*2\r\n$2\r\n17\r\n*12\r\n$9\r\np:4:1.2.3\r\n"
		"$20\r\np:6:20010db800010002\r\n"
		"$10\r\np:4:1.2.03\r\n$12\r\np:4:1.2.3.04\r\n$7\r\np:4:1.2\r\n"
		"$2\r\np:\r\n$1\r\np\r\n$20\r\np:6:20010DB800010002\r\n"
		"$9\r\np:4:1\0002.3\r\n$9\r\np:5:1.2.3\r\n"
		"$9\r\np:4:1.2.4\r\n$9\r\np:4:1.2.5\r\n"
		"$10\r\n1699999990\r\n:172790000\r\n"
		"$10\r\n1600000000\r\n:3110400000\r\n"
		"-WRONGTYPE not a string\r\n:-1\r\n"
		"$0\r\n\r\n:-2\r\n"
		/* The second has none, the third ends it. */
		"*2\r\n$20\r\n18446744073709551615\r\n*0\r\n"
		"*2\r\n$1\r\n0\r\n*2\r\n$11\r\np:4:9.8.7.6\r\n"
		"$37\r\np:6:20010db800010002-0000000000000003\r\n"
		"$10\r\n1600000000\r\n:3110400000\r\n"
		"$10\r\n1600000000\r\n:3110400000\r\n";
	struct greylist_redis redis = store_saying(BYTES(answers));
	struct str list = { 0 };
	const char *cause, *questions;

	redis.prefix = "p:";
	ok(greylist_redis_list(&redis, NOW, write_down, &list, &cause) == 0,
	   "a list in three parts");
	is_text(or_none(cause), "(none)", "without a cause");
	is_text(list.data,
		"1.2.3.0/24 1699999990 1699999990\n"
		"2001:db8:1:2::/64 1600000000 1700000000\n"
		"9.8.7.6/32 1600000000 1700000000\n"
		"2001:db8:1:2::3/128 1600000000 1700000000\n",
		"has what is an entry");
	ok(redis.skipped == 9, "and counts what is none");
	questions = asked();
	ok(strncmp(questions, BYTES("| SCAN 0 MATCH p:* COUNT 500 | GETRANGE "
				    "p:4:1.2.3 0 32 | PTTL p:4:1.2.3 |")) == 0,
	   "what is asked first");
	ok(strstr(questions, "| SCAN 17 MATCH p:* COUNT 500 | SCAN "
			     "18446744073709551615 MATCH p:* COUNT 500 |"),
	   "a cursor is as Redis gave it");
	greylist_redis_close(&redis);
	str_free(&list);

	redis = store_saying(BYTES("*2\r\n$1\r\n0\r\n*0\r\n"));
	redis.prefix = "a*[b]?\\";
	ok(greylist_redis_list(&redis, NOW, write_down, &list, &cause) == 0,
	   "an empty list");
	is_text(asked(), "| SCAN 0 MATCH a\\*\\[b\\]\\?\\\\* COUNT 500",
		"a prefix means itself");
	greylist_redis_close(&redis);

	redis = store_saying(BYTES("*1\r\n$40\r\n12345678901234567890"
				   "12345678901234567890\r\n"));
	ok(greylist_redis_list(&redis, NOW, write_down, &list, &cause) < 0,
	   "no cursor, no list");
	is_text(cause, "junk", "for that reason");
	asked();
}

static void test_one_connection(void)
{
	struct greylist_contact contact =
		contact_of("192.0.2.7", GREYLIST_BY_NETWORK);
	struct greylist_redis redis = store_saying(BYTES(":0\r\n"));
	const char *cause;

	ok(greylist_redis_forget(&redis, &contact.key, &cause) == 0,
	   "what is not there cannot be forgotten");
	is_text(or_none(cause), "(none)", "and that is no failure");
	ok(redis.link.fd >= 0, "the connection stays");
	asked();
	ok(greylist_redis_forget(&redis, &contact.key, &cause) < 0,
	   "a server that has gone");
	greylist_redis_close(&redis);
}

static void test_environment(void)
{
	struct greylist_redis redis;

	unsetenv("JGREYLIST_REDIS");
	ok(!greylist_redis_from_environment(&redis), "no variable, no store");
	setenv("JGREYLIST_REDIS", "", 1);
	ok(!greylist_redis_from_environment(&redis), "an empty one neither");
	setenv("JGREYLIST_REDIS", "unix:/run/r", 1);
	ok(greylist_redis_from_environment(&redis), "a variable, a store");
	ok(strcmp(redis.prefix, "jgreylist:") == 0 &&
		   redis.link.database == 0 && redis.link.seconds == 1 &&
		   !redis.link.password_file && redis.link.fd == -1,
	   "the defaults");
	setenv("JGREYLIST_REDIS_TIMEOUT", "0", 1);
	ok(greylist_redis_from_environment(&redis) && redis.link.seconds == 1,
	   "a second is the least");
	setenv("JGREYLIST_REDIS_TIMEOUT", "86400", 1);
	ok(greylist_redis_from_environment(&redis) && redis.link.seconds == 60,
	   "a minute is the most");
}

/* Addresses that cannot be connected to, and what is said of them. */
static void test_addresses(void)
{
	static const char *const rows[][2] = {
		{ "redis", "redis is neither unix:/path nor HOST:PORT" },
		{ "host:", "host: is neither unix:/path nor HOST:PORT" },
		{ ":6379", ":6379 is neither unix:/path nor HOST:PORT" },
		{ "host:0", "host:0 is neither unix:/path nor HOST:PORT" },
		{ "host:65536",
		  "host:65536 is neither unix:/path nor HOST:PORT" },
		{ "host:redis",
		  "host:redis is neither unix:/path nor HOST:PORT" },
		{ "::1:6379", "::1:6379 is neither unix:/path nor HOST:PORT" },
		{ "[::1]", "[::1] is neither unix:/path nor HOST:PORT" },
		{ "[]:1", "[]:1 is neither unix:/path nor HOST:PORT" },
		{ "a\nb\033", "a?b? is neither unix:/path nor HOST:PORT" },
		{ "unix:", "cannot connect to unix:: file does not exist" },
		{ "unix:/no/such/socket",
		  "cannot connect to unix:/no/such/socket: file does not "
		  "exist" },
		{ "unix:/dev/null",
		  "cannot connect to unix:/dev/null: connection refused" },
	};
	struct greylist_contact contact =
		contact_of("192.0.2.7", GREYLIST_BY_NETWORK);

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct greylist_redis redis = {
			.prefix = "p:",
			.link = { .address = rows[i][0],
				  .fd = -1,
				  .seconds = 1 },
		};
		const char *cause;

		ok(greylist_redis_contact(&redis, &contact, &cause) ==
			   GREYLIST_FAILED,
		   "cannot be had");
		is_text(cause, rows[i][1], "and why");
	}
}

int main(void)
{
	test_contacts();
	test_endless();
	test_keys();
	test_look();
	test_set();
	test_list();
	test_one_connection();
	test_environment();
	test_addresses();
	return done_testing();
}
