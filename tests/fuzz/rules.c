/* Rules, both ways: the bytes as a rules file, whose lines become keys and
   items, and what is found for a client is what a reader finds who knows the
   order of the look-ups only, and looks at every rule; and the bytes as a
   compiled file, which may be damaged in any way.
   SPDX-License-Identifier: ISC */
#include "mail/rules.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mail/rules_line.h"
#include "system/file.h"
#include "system/table_maker.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { MOST_KEYS_OF_A_LINE = 256, MOST_KEYS = 600, MOST_CLIENTS = 24 };

/* What has been compiled, in order. */
struct record {
	struct str key;
	struct str data;
	unsigned long line;
};

static struct record records[MOST_KEYS];
static size_t used;

/* The reference. */

static bool has_bits(const struct net_ip *ip, const struct net_ip *network,
		     unsigned length)
{
	for (unsigned i = 0; i < length; i++) {
		unsigned char bit = (unsigned char)(0x80 >> i % 8);

		if ((ip->bytes[i / 8] ^ network->bytes[i / 8]) & bit)
			return false;
	}
	return ip->family == network->family;
}

/* The groups (of 16 bits) or octets of a piece of an address. */
static int pieces(const char *text, size_t length)
{
	int count = 0;

	for (size_t i = 0; i < length; i++)
		if (text[i] != ':' && text[i] != '.' &&
		    (i == 0 || text[i - 1] == ':' || text[i - 1] == '.'))
			count++;
	return count;
}

/* How well the key, as a network, fits the address: twice the bits, and one
   more for a beginning; -1 when it does not. */
static int fit_of_network(const struct record *record, const char *ip)
{
	const char *key = record->key.data;
	size_t length = record->key.length;
	const char *slash = strchr(key, '/');
	struct net_ip client, network;
	char text[NET_IP_TEXT];

	if (slash && *key != '=' && !strchr(key, '@')) {
		int bits = atoi(slash + 1);

		if (slash - key >= NET_IP_TEXT) __builtin_trap();
		memcpy(text, key, (size_t)(slash - key));
		text[slash - key] = '\0';
		if (net_ip_parse(text, &network) < 0) __builtin_trap();
		if (net_ip_parse(ip, &client) < 0) return -1;
		return has_bits(&client, &network, (unsigned)bits) ? 2 * bits
								   : -1;
	}
	if (length == 0 || length > strlen(ip) || memcmp(key, ip, length) != 0)
		return -1;
	if (key[length - 1] == '.') return 2 * 8 * pieces(key, length) + 1;
	if (key[length - 1] != ':') return -1;
	if (!strstr(key, "::")) return 2 * 16 * pieces(key, length) + 1;
	return 2 * (128 - 16 * pieces(ip + length, strlen(ip) - length)) + 1;
}

/* The ladder as one number: the higher, the sooner it is looked up. */
static int fit(const struct record *record, const struct rules_client *client)
{
	enum { RUNG = 1000 };
	const char *key = record->key.data, *ip = client->ip;
	const char *host = client->host, *info = client->info;
	char whole[300];
	int network;

	if (info && ip) {
		snprintf(whole, sizeof whole, "%s@%s", info, ip);
		if (strcmp(key, whole) == 0) return 8 * RUNG;
	}
	if (info && host) {
		snprintf(whole, sizeof whole, "%s@=%s", info, host);
		if (strcmp(key, whole) == 0) return 7 * RUNG;
	}
	if (ip && strcmp(key, ip) == 0) return 6 * RUNG;
	if (host && *key == '=' && strcmp(key + 1, host) == 0) return 5 * RUNG;
	network = ip ? fit_of_network(record, ip) : -1;
	if (network >= 0) return 4 * RUNG + network;
	if (host && key[0] == '=' && key[1] == '.' &&
	    strlen(host) >= strlen(key + 1) &&
	    strcmp(host + strlen(host) - strlen(key + 1), key + 1) == 0)
		return 2 * RUNG + (int)strlen(key);
	if (host && strcmp(key, "=") == 0) return RUNG;
	return *key ? -1 : 0;
}

static const struct record *best_for(const struct rules_client *client)
{
	const struct record *best = NULL;
	int best_fit = -1;

	for (size_t i = 0; i < used; i++) {
		int own = fit(&records[i], client);

		if (own <= best_fit) continue;
		best_fit = own;
		best = &records[i];
	}
	return best;
}

/* What is found is within the file, and the items are C strings. */
static void read_match(const struct rules_match *match,
		       const struct table *table)
{
	const char *item, *file = (const char *)table->cdb.cdb_mem;
	size_t at = 0;
	bool deny = false;

	if (match->data < file ||
	    match->data + match->data_length > file + table->cdb.cdb_fsize)
		__builtin_trap();
	if (match->key.data[match->key.length]) __builtin_trap();
	while ((item = rules_next_item(match->data, match->data_length, &at))) {
		if (item < match->data ||
		    item + strlen(item) >= match->data + match->data_length)
			__builtin_trap();
		if (*item != 'D' && *item != '+') __builtin_trap();
		deny = deny || *item == 'D';
	}
	if (deny != rules_deny(match->data, match->data_length))
		__builtin_trap();
}

static void compare(struct table *table, const struct rules_client *client,
		    struct rules_match *match)
{
	enum table_answer answer = rules_find(table, client, match);
	const struct record *best = best_for(client);

	if (answer == TABLE_FAILED) __builtin_trap();
	if ((answer == TABLE_FOUND) != (best != NULL)) __builtin_trap();
	if (!best) return;
	read_match(match, table);
	if (strcmp(best->key.data, match->key.data) != 0 ||
	    best->data.length != match->data_length ||
	    memcmp(best->data.data, match->data, match->data_length) != 0)
		__builtin_trap();
}

/* Who is near a rule: in its network, or just outside. */
static void ask_near(struct table *table, const struct record *record,
		     size_t salt, struct rules_match *match)
{
	const char *at = strrchr(record->key.data, '@');
	struct rules_client client = { .ip = NULL };
	char text[NET_IP_TEXT], info[64] = "";
	struct net_ip ip;
	size_t length;

	at = at ? at + 1 : record->key.data;
	length = strcspn(at, "/");
	if (length >= sizeof text) return;
	memcpy(text, at, length);
	text[length] = '\0';
	if (net_ip_parse(text, &ip) < 0) {
		client.ip = "192.0.2.1";
		client.host = *at == '=' ? at + 1 : NULL;
		if (client.host && strlen(client.host) > 200) return;
		compare(table, &client, match);
		return;
	}
	for (int i = 0; i < 3; i++) {
		size_t bit =
			(salt * 7 + (size_t)i * 41) % net_ip_bits(ip.family);

		client.ip = net_ip_format(&ip, text);
		compare(table, &client, match);
		client.host = "mx.a.example";
		compare(table, &client, match);
		if (at > record->key.data + 1 &&
		    (size_t)(at - record->key.data) < sizeof info) {
			memcpy(info, record->key.data,
			       (size_t)(at - record->key.data) - 1);
			client.info = info;
			compare(table, &client, match);
		}
		client.info = client.host = NULL;
		ip.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		/* ::ffff:0:0/96 has no text of its own. */
		if (net_ip_parse(net_ip_format(&ip, text), &ip) < 0)
			__builtin_trap();
	}
}

static const struct rules_client clients[] = {
	{ "192.0.2.1", "mx.a.example", "me" },
	{ "2001:db8::1", NULL, NULL },
	{ "", "..", "@" },
	{ NULL, NULL, NULL },
};

enum { CLIENTS = sizeof clients / sizeof *clients };

static void ask_compiled(const char *path)
{
	struct rules_match match = { 0 };
	struct table table;

	if (table_open(&table, path) < 0) __builtin_trap();
	/* Such text as the third's could be the key of the lengths. */
	for (size_t i = 0; i < 2; i++) compare(&table, &clients[i], &match);
	for (size_t i = 0; i < used && i < MOST_CLIENTS; i++)
		ask_near(&table, &records[used - 1 - i], used + i, &match);
	table_close(&table);
	str_free(&match.key);
}

static void ask_damaged(const char *path)
{
	struct rules_match match = { 0 };
	struct table_record record;
	struct table table;
	unsigned at = 0;

	if (table_open(&table, path) < 0) return;
	for (size_t i = 0; i < CLIENTS; i++) {
		if (rules_find(&table, &clients[i], &match) == TABLE_FOUND)
			read_match(&match, &table);
		else if (match.data_length) __builtin_trap();
	}
	while (table_next(&table, &at, &record) == TABLE_FOUND)
		if (record.key + record.key_length > record.value)
			__builtin_trap();
	table_close(&table);
	str_free(&match.key);
}

/* Compiling. */

static void check_key(const struct rules_rule *rule, const char *key,
		      size_t length)
{
	if (memchr(key, '\0', length) || memchr(key, '\n', length))
		__builtin_trap();
	if (length > rule->address_length + 2) __builtin_trap();
	if (rule->data.length && rule->data.data[rule->data.length - 1])
		__builtin_trap();
}

static void add(struct table_maker *maker, struct table_repeats *repeats,
		unsigned long line, const char *key, size_t length,
		const struct str *data)
{
	struct record *record = &records[used];

	str_append(&record->key, key, length);
	str_append(&record->data, data->data, data->length);
	record->line = line;
	used++;
	table_make_number(repeats, line);
	if (table_make_add(maker, key, length, data->data, data->length) < 0)
		abort();
}

/* Every rule's items are as many as were read, and it allows or denies. A rule
   read again, in the place of another one, says the same. */
static void compile_line(const char *line, size_t length, unsigned long number,
			 struct table_maker *maker,
			 struct table_repeats *repeats,
			 struct rules_lengths *lengths)
{
	static struct rules_rule reused;
	struct rules_rule rule = { 0 };
	enum rules_line kind = rules_parse_line(line, length, &rule);
	const char *key;
	size_t key_length, keys = 0, at = 0, items = 0, nuls = 0;

	if ((kind == RULES_MALFORMED) != (rule.mistake != NULL))
		__builtin_trap();
	if (kind == RULES_NO_COLON && memchr(line, ':', length))
		__builtin_trap();
	if (rules_parse_line(line, length, &reused) != kind ||
	    reused.mistake != rule.mistake || reused.remark != rule.remark)
		__builtin_trap();
	if (kind == RULES_RULE) {
		if (reused.data.length != rule.data.length ||
		    memcmp(reused.data.data, rule.data.data,
			   rule.data.length) != 0)
			__builtin_trap();
		while (rules_next_key(&rule, &key, &key_length)) {
			check_key(&rule, key, key_length);
			if (used < MOST_KEYS)
				add(maker, repeats, number, key, key_length,
				    &rule.data);
			keys++;
		}
		rules_note_length(lengths, &rule);
		while (rules_next_item(rule.data.data, rule.data.length, &at))
			items++;
		for (size_t i = 0; i < rule.data.length; i++)
			if (!rule.data.data[i]) nuls++;
		if (keys > MOST_KEYS_OF_A_LINE || items != nuls)
			__builtin_trap();
	}
	str_free(&rule.data);
	str_free(&rule.key);
	str_free(&rule.instruction);
}

static size_t first_with_key_of(size_t i)
{
	size_t first = 0;

	while (records[first].key.length != records[i].key.length ||
	       memcmp(records[first].key.data, records[i].key.data,
		      records[i].key.length) != 0)
		first++;
	return first;
}

static void check_repeats(const struct table_repeats *repeats)
{
	size_t found = 0;

	for (size_t i = 0; i < used; i++) {
		size_t first = first_with_key_of(i);

		if (first == i) continue;
		if (found < repeats->used &&
		    (repeats->found[found].record != records[i].line ||
		     repeats->found[found].first != records[first].line))
			__builtin_trap();
		found++;
	}
	if (found != repeats->count) __builtin_trap();
	if (repeats->used != (found < TABLE_REPEATS ? found : TABLE_REPEATS))
		__builtin_trap();
}

static void compile(const char *text, size_t length, int fd)
{
	struct table_repeats *repeats = calloc(1, sizeof *repeats);
	struct rules_lengths lengths = { 0 };
	struct table_maker maker;
	struct str list = { 0 };
	unsigned long number = 0;
	size_t at = 0;

	if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
	    table_make_start(&maker, fd) < 0)
		abort();
	while (at < length && used < MOST_KEYS) {
		const char *end = memchr(text + at, '\n', length - at);
		size_t line = end ? (size_t)(end - text) - at : length - at;
		char *copy = malloc(line + 1); /* to see a read behind it */

		memcpy(copy, text + at, line);
		copy = realloc(copy, line ? line : 1);
		compile_line(copy, line, ++number, &maker, repeats, &lengths);
		free(copy);
		at += line + 1;
	}
	if (rules_list_lengths(&lengths, &list) &&
	    table_make_add(&maker, RULES_LENGTHS_KEY, 1, list.data,
			   list.length) < 0)
		abort();
	if (table_make_finish(&maker, repeats) < 0) abort();
	check_repeats(repeats);
	str_free(&repeats->steps);
	free(repeats);
	str_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static char path[64];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("rules", MFD_CLOEXEC);
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	}
	if (fd < 0) abort();
	compile((const char *)bytes, length, fd);
	ask_compiled(path);
	while (used > 0) {
		used--;
		str_free(&records[used].key);
		str_free(&records[used].data);
	}
	if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
	    file_write(fd, bytes, length) < 0)
		abort();
	ask_damaged(path);
	return 0;
}
