/* SPDX-License-Identifier: ISC */
#include "mail/greylist_redis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"

enum {
	WAITING_SECONDS = 2 * 86400, /* kept until it comes back */
	KNOWN_SECONDS = 36 * 86400,  /* kept since it was last here */
	DEFAULT_SECONDS = 1,
	MOST_SECONDS = 60,
	KEYS_IN_A_ROW = 500,
};

/* The year 9999: more is no time, and sums with it cannot overflow. */
static const unsigned long last_time = 253402300799;

static const char default_prefix[] = "jgreylist:";

bool greylist_redis_from_environment(struct greylist_redis *redis)
{
	const char *address = getenv("JGREYLIST_REDIS");
	const char *file = getenv("JGREYLIST_REDIS_PASSWORD_FILE");
	const char *prefix = getenv("JGREYLIST_REDIS_PREFIX");
	long seconds =
		greylist_number("JGREYLIST_REDIS_TIMEOUT", DEFAULT_SECONDS);

	if (seconds < 1) seconds = 1;
	if (seconds > MOST_SECONDS) seconds = MOST_SECONDS;
	*redis = (struct greylist_redis){
		.link = {
			.address = address,
			.password_file = file && *file ? file : NULL,
			.database = greylist_number("JGREYLIST_REDIS_DB", 0),
			.seconds = (unsigned long)seconds,
			.fd = -1,
		},
		.prefix = prefix && *prefix ? prefix : default_prefix,
	};
	return address && *address;
}

/* Keys: 4:192.0.2, 4:192.0.2.1, 6:20010db800010002 and, of a single address,
   6:20010db800010002-0000000000000003, all behind the prefix. */

enum { KEY = sizeof "6:" + NET_IP_TEXT };

static void name_key(const struct greylist_key *key, char name[KEY])
{
	char path[GREYLIST_PATH], *end;

	if (key->network.family == NET_IPV6) {
		greylist_key_path(key, path);
		(void)snprintf(name, KEY, "6:%.4s%s", path, path + 5);
		return;
	}
	memcpy(name, "4:", sizeof "4:");
	net_ip_format(&key->network, name + 2);
	end = strrchr(name, '.');
	if (key->bits == 24 && end) *end = '\0';
}

static int parse_key(const char *name, struct greylist_key *key)
{
	char text[KEY + sizeof ".0"], again[KEY];
	bool is_ipv6 = name[0] == '6';

	if (strlen(name) < sizeof "6:2001" || strlen(name) >= KEY) return -1;
	if (is_ipv6) {
		(void)snprintf(text, sizeof text, "%.4s/%s", name + 2,
			       name + 6);
		if (greylist_key_of_path(text, key) < 0) return -1;
	} else {
		struct net_ip ip;
		bool is_address = net_ip_parse(name + 2, &ip) == 0;

		(void)snprintf(text, sizeof text, "%s.0", name + 2);
		if (!is_address && net_ip_parse(text, &ip) < 0) return -1;
		*key = greylist_key_of_ip(&ip, is_address
						       ? GREYLIST_BY_ADDRESS
						       : GREYLIST_BY_NETWORK);
	}
	name_key(key, again);
	return strcmp(name, again) == 0 ? 0 : -1;
}

/* The whole name, in memory that is the caller's. */
static void name_whole_key(const struct greylist_redis *redis,
			   const struct greylist_key *key, struct str *whole)
{
	char name[KEY];

	name_key(key, name);
	str_append_text(whole, redis->prefix);
	str_append_text(whole, name);
}

/* Times. */

enum { NUMBER = sizeof "-9223372036854775808" };

static const char *number_text(long long number, char text[NUMBER])
{
	(void)snprintf(text, NUMBER, "%lld", number);
	return text;
}

static int read_first(const struct redis_answer *answer, time_t *first)
{
	unsigned long number;

	if (answer->kind != REDIS_TEXT) return -1;
	if (parse_number(answer->text, 0, last_time, &number) < 0) return -1;
	*first = (time_t)number;
	return 0;
}

/* The last contact, from the milliseconds that Redis will still keep the entry
   (-1: for ever). Rounded up: a time before the one that was noted might say
   that the client had not passed. True when it is kept as one that has: the two
   ways are more than a month apart, so the hosts' clocks may differ. */
static bool is_kept_as_known(long long left, time_t now,
			     struct greylist_entry *entry)
{
	long long seconds = left / 1000 + (left % 1000 > 0);

	if (seconds > KNOWN_SECONDS) seconds = KNOWN_SECONDS;
	entry->last = entry->first;
	if (left < 0 || now + seconds - entry->first < KNOWN_SECONDS / 2)
		return false;
	if (now + seconds - KNOWN_SECONDS > entry->first)
		entry->last = now + seconds - KNOWN_SECONDS;
	return true;
}

/* jgreylist's question. */

/* SET makes the entry unless there is one, and says what was there. PTTL tells
   the last contact, so that the second round trip, which notes this one, is for
   those who have not been here for a while. */
static int ask(struct redis_link *link, const char *key, time_t now,
	       struct redis_answer *first, struct redis_answer *left)
{
	char value[NUMBER], seconds[NUMBER];

	redis_begin(link);
	redis_command(link,
		      (const char *[]){ "SET", key, number_text(now, value),
					"NX", "GET", "EX",
					number_text(WAITING_SECONDS, seconds),
					NULL });
	redis_command(link, (const char *[]){ "PTTL", key, NULL });
	if (redis_send(link) < 0) return -1;
	if (redis_next_answer(link, first) < 0) return -1;
	return redis_next_answer(link, left);
}

/* An entry that has gone meanwhile is not made again: 0 is no error. */
static int note_contact(struct redis_link *link, const char *key)
{
	struct redis_answer answer = { 0 };
	char seconds[NUMBER];

	redis_command(link,
		      (const char *[]){ "EXPIRE", key,
					number_text(KNOWN_SECONDS, seconds),
					NULL });
	if (redis_send(link) < 0) return -1;
	if (redis_next_answer(link, &answer) < 0) return -1;
	return answer.kind == REDIS_NUMBER ? 0 : redis_refuse(link, &answer);
}

static enum greylist_state decide(struct redis_link *link, const char *key,
				  const struct greylist_contact *contact)
{
	struct redis_answer first = { 0 }, left = { 0 };
	struct greylist_entry entry;
	enum greylist_state state;

	if (ask(link, key, contact->now, &first, &left) < 0)
		return GREYLIST_FAILED;
	if (first.kind == REDIS_NOTHING) return GREYLIST_FIRST;
	if (read_first(&first, &entry.first) < 0) {
		redis_refuse(link, &first);
		return GREYLIST_FAILED;
	}
	state = greylist_state(entry.first, contact->hold_seconds,
			       contact->now);
	if (left.kind != REDIS_NUMBER) left.number = -1;
	if (state == GREYLIST_KNOWN &&
	    (!is_kept_as_known(left.number, contact->now, &entry) ||
	     contact->now - entry.last > GREYLIST_LAZY_SECONDS))
		(void)note_contact(link, key); /* the cause tells */
	return state;
}

static const char *cause_of(const struct greylist_redis *redis)
{
	return redis->link.cause[0] ? redis->link.cause : NULL;
}

enum greylist_state
greylist_redis_contact(struct greylist_redis *redis,
		       const struct greylist_contact *contact,
		       const char **cause)
{
	struct str key = { 0 };
	enum greylist_state state;

	name_whole_key(redis, &contact->key, &key);
	state = decide(&redis->link, key.data, contact);
	str_free(&key);
	redis_hang_up(&redis->link);
	*cause = cause_of(redis);
	return state;
}

/* The tools' questions. */

/* One byte more than a value may have, however long it is. */
static void add_look(struct redis_link *link, const char *key)
{
	char end[NUMBER];

	redis_command(link,
		      (const char *[]){ "GETRANGE", key, "0",
					number_text(REDIS_VALUE_LENGTH, end),
					NULL });
	redis_command(link, (const char *[]){ "PTTL", key, NULL });
}

enum look_result { LOOK_FOUND, LOOK_ABSENT, LOOK_JUNK, LOOK_FAILED };

/* `first` is what was junk. */
static enum look_result take_look(struct redis_link *link, time_t now,
				  struct redis_answer *first,
				  struct greylist_entry *entry)
{
	struct redis_answer left = { 0 };

	if (redis_next_answer(link, first) < 0) return LOOK_FAILED;
	if (redis_next_answer(link, &left) < 0) return LOOK_FAILED;
	if (first->kind == REDIS_TEXT && !first->text[0]) return LOOK_ABSENT;
	if (read_first(first, &entry->first) < 0) return LOOK_JUNK;
	if (left.kind != REDIS_NUMBER) return LOOK_JUNK;
	(void)is_kept_as_known(left.number, now, entry);
	return LOOK_FOUND;
}

enum greylist_state greylist_redis_look(struct greylist_redis *redis,
					const struct greylist_contact *contact,
					struct greylist_entry *entry,
					const char **cause)
{
	struct redis_link *link = &redis->link;
	struct redis_answer answer = { 0 };
	enum look_result result = LOOK_FAILED;
	struct str key = { 0 };

	name_whole_key(redis, &contact->key, &key);
	redis_begin(link);
	add_look(link, key.data);
	str_free(&key);
	if (redis_send(link) == 0)
		result = take_look(link, contact->now, &answer, entry);
	if (result == LOOK_JUNK) redis_refuse(link, &answer);
	*cause = cause_of(redis);
	if (*cause) return GREYLIST_FAILED;
	if (result == LOOK_ABSENT) return GREYLIST_FIRST;
	return greylist_state(entry->first, contact->hold_seconds,
			      contact->now);
}

static int ask_once(struct greylist_redis *redis, const char *const *words,
		    struct redis_answer *answer, enum redis_kind wanted)
{
	struct redis_link *link = &redis->link;

	redis_begin(link);
	redis_command(link, words);
	if (redis_send(link) < 0) return -1;
	if (redis_next_answer(link, answer) < 0) return -1;
	return answer->kind == wanted ? 0 : redis_refuse(link, answer);
}

int greylist_redis_set(struct greylist_redis *redis,
		       const struct greylist_contact *contact,
		       const struct greylist_entry *entry, const char **cause)
{
	struct redis_answer answer = { 0 };
	char value[NUMBER], seconds[NUMBER];
	long long kept = entry->first + WAITING_SECONDS - contact->now;
	struct str key = { 0 };
	int result;

	if (greylist_has_passed(entry, contact->hold_seconds))
		kept = entry->last + KNOWN_SECONDS - contact->now;
	if (kept > KNOWN_SECONDS) kept = KNOWN_SECONDS;
	if (kept < 1) kept = 1;
	name_whole_key(redis, &contact->key, &key);
	result = ask_once(redis,
			  (const char *[]){ "SET", key.data,
					    number_text(entry->first, value),
					    "EX", number_text(kept, seconds),
					    NULL },
			  &answer, REDIS_TEXT);
	str_free(&key);
	*cause = cause_of(redis);
	return result;
}

int greylist_redis_forget(struct greylist_redis *redis,
			  const struct greylist_key *key, const char **cause)
{
	struct redis_answer answer = { 0 };
	struct str whole = { 0 };
	int result;

	name_whole_key(redis, key, &whole);
	result = ask_once(redis, (const char *[]){ "DEL", whole.data, NULL },
			  &answer, REDIS_NUMBER);
	str_free(&whole);
	*cause = cause_of(redis);
	return result < 0 ? -1 : answer.number > 0;
}

/* The list. */

struct scan {
	struct greylist_redis *redis;
	time_t now;
	greylist_redis_visit *visit;
	void *context;
	struct str pattern;
	struct str names; /* of keys without the prefix; each ends in a NUL */
	char cursor[NUMBER];
};

/* SCAN's answer is a list of its cursor and a list of keys. */
static void take_item(void *context, unsigned depth, const char *bytes,
		      size_t length)
{
	struct scan *scan = context;
	size_t prefix = strlen(scan->redis->prefix);
	struct greylist_key key;
	char name[KEY];

	if (depth == 1 && length < sizeof scan->cursor) {
		memcpy(scan->cursor, bytes, length);
		scan->cursor[length] = '\0';
	}
	if (depth != 2) return;
	if (length < prefix || length - prefix >= sizeof name ||
	    memchr(bytes, '\0', length)) {
		scan->redis->skipped++;
		return;
	}
	memcpy(name, bytes + prefix, length - prefix);
	name[length - prefix] = '\0';
	if (parse_key(name, &key) < 0) scan->redis->skipped++;
	else str_append(&scan->names, name, length - prefix + 1);
}

/* The bytes of the prefix, none of which is to match others. */
static void make_pattern(struct scan *scan)
{
	for (const char *at = scan->redis->prefix; *at; at++) {
		if (strchr("*?[]^-\\", *at))
			str_append_byte(&scan->pattern, '\\');
		str_append_byte(&scan->pattern, *at);
	}
	str_append_byte(&scan->pattern, '*');
}

static int find_names(struct scan *scan)
{
	struct redis_answer answer = { .item = take_item, .context = scan };
	char count[NUMBER], cursor[NUMBER];

	memcpy(cursor, scan->cursor, sizeof cursor);
	scan->cursor[0] = '\0';
	str_clear(&scan->names);
	if (ask_once(scan->redis,
		     (const char *[]){
			     "SCAN", cursor, "MATCH", scan->pattern.data,
			     "COUNT", number_text(KEYS_IN_A_ROW, count), NULL },
		     &answer, REDIS_LIST) < 0)
		return -1;
	if (scan->cursor[0]) return 0;
	return redis_refuse(&scan->redis->link, &answer);
}

static const char *end_of_names(const struct scan *scan)
{
	return scan->names.data + scan->names.length;
}

static int ask_for_names(struct scan *scan)
{
	struct redis_link *link = &scan->redis->link;
	struct str key = { 0 };

	redis_begin(link);
	for (const char *name = scan->names.data; name < end_of_names(scan);
	     name += strlen(name) + 1) {
		str_clear(&key);
		str_append_text(&key, scan->redis->prefix);
		str_append_text(&key, name);
		add_look(link, key.data);
	}
	str_free(&key);
	return redis_send(link);
}

static int visit_names(struct scan *scan)
{
	struct redis_answer answer = { 0 };
	struct greylist_entry entry;
	struct greylist_key key;

	if (scan->names.length == 0) return 0;
	if (ask_for_names(scan) < 0) return -1;
	for (const char *name = scan->names.data; name < end_of_names(scan);
	     name += strlen(name) + 1) {
		switch (take_look(&scan->redis->link, scan->now, &answer,
				  &entry)) {
		case LOOK_FAILED: return -1;
		case LOOK_ABSENT: break;
		case LOOK_JUNK: scan->redis->skipped++; break;
		case LOOK_FOUND:
			if (parse_key(name, &key) == 0)
				scan->visit(scan->context, &key, &entry);
			break;
		}
	}
	return 0;
}

int greylist_redis_list(struct greylist_redis *redis, time_t now,
			greylist_redis_visit *visit, void *context,
			const char **cause)
{
	struct scan scan = {
		.redis = redis,
		.now = now,
		.visit = visit,
		.context = context,
		.cursor = "0",
	};
	int result;

	redis->skipped = 0;
	make_pattern(&scan);
	do {
		result = find_names(&scan);
		if (result == 0) result = visit_names(&scan);
	} while (result == 0 && strcmp(scan.cursor, "0") != 0);
	str_free(&scan.pattern);
	str_free(&scan.names);
	*cause = cause_of(redis);
	return result;
}

void greylist_redis_close(struct greylist_redis *redis)
{
	redis_hang_up(&redis->link);
}
