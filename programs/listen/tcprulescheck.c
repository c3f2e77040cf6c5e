/* tcprulescheck: says what tcpserver would do with a client, by a compiled
   rules file; with -v also why, and with -d which rules the file has. The
   surprise: it ends with 0 for a client that is denied too, and what it prints
   of such a rule ends at "deny connection", whatever variables stand behind.
   That text is read by scripts, so it never changes.
   Takes the client from TCPREMOTEIP (0.0.0.0 when it is not set), TCPREMOTEHOST
   and TCPREMOTEINFO. An address is taken in any spelling; all else is compared
   byte for byte. 100 for wrong use, 111 for a file that cannot be read or is
   damaged.
   SPDX-License-Identifier: ISC */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "base/parse.h"
#include "base/str.h"
#include "mail/rules.h"
#include "mail/rules_line.h"
#include "system/file.h"
#include "system/net.h"
#include "system/table.h"

static const char usage[] = "tcprulescheck [ -dv ] rules.cdb [ rules ]";

enum {
	SHOWN_NAME = 1024,
	SHOWN_TEXT = 4096,
	LARGEST_SOURCE = 1 << 30,
};

/* What tcpserver limits, and by what it counts. */
enum counted { BY_LOAD, BY_ADDRESS, BY_NETWORK };

static const struct limit {
	const char *name;
	enum counted counted;
} limits[] = {
	{ "MAXLOAD", BY_LOAD },     { "MAXCONNIP", BY_ADDRESS },
	{ "MAXCONNC", BY_NETWORK }, { "MAXRATEIP", BY_ADDRESS },
	{ "MAXRATEC", BY_NETWORK },
};

enum { LIMITS = sizeof limits / sizeof *limits };

struct request {
	bool verbose;
	struct rules_client client;
	char ip[NET_IP_TEXT];
	const char *cdb;
	const char *source; /* or NULL */
};

static _Noreturn void fail_to_read(const char *path)
{
	char shown[SHOWN_NAME];

	printable_text(shown, sizeof shown, path);
	die_temporary("unable to read %s:", shown);
}

static void open_table(struct table *table, const char *path)
{
	if (table_open(table, path) < 0) fail_to_read(path);
}

/* The answer that everybody gets. */

static void print_rule(const struct rules_match *match)
{
	const char *item;
	size_t at = 0;

	printf("rule ");
	fwrite(match->key.data, 1, match->key.length, stdout);
	printf(":\n");
	while ((item = rules_next_item(match->data, match->data_length, &at))) {
		if (*item == 'D') {
			printf("deny connection\n");
			return;
		}
		printf("set environment variable %s\n", item + 1);
	}
	printf("allow connection\n");
}

static void print_answer(enum table_answer answer,
			 const struct rules_match *match)
{
	if (answer == TABLE_FOUND) print_rule(match);
	else printf("default:\nallow connection\n");
}

/* A rule as a line. */

/* A byte that the value does not have; in a file that tcprules did not make
   there may be none. */
static char quote_for(const char *value)
{
	static const char usual[] = "\"/'|";

	for (const char *quote = usual; *quote; quote++)
		if (!strchr(value, *quote)) return *quote;
	for (int quote = '!'; quote <= '~'; quote++)
		if (!strchr(value, quote)) return (char)quote;
	return '"';
}

static void append_variable(struct str *line, const char *item)
{
	const char *equals = strchr(item, '=');
	const char *value = equals ? equals + 1 : "";
	char quote = quote_for(value);

	str_append_byte(line, ',');
	str_append(line, item + 1, (size_t)(value - item - 1));
	str_append_byte(line, quote);
	str_append_text(line, value);
	str_append_byte(line, quote);
}

static void append_rule(struct str *line, const char *key, size_t key_length,
			const char *data, size_t length)
{
	const char *item;
	size_t at = 0;

	str_append(line, key, key_length);
	str_append_text(line, rules_deny(data, length) ? ":deny" : ":allow");
	while ((item = rules_next_item(data, length, &at)))
		if (*item == '+' && strchr(item, '='))
			append_variable(line, item);
}

/* Does the line stand for that key, alone or among others? */
static bool is_line_of(struct rules_rule *rule, const char *line, size_t length,
		       const char *key, size_t key_length)
{
	const char *own;
	size_t own_length;

	if (rules_parse_line(line, length, rule) != RULES_RULE) return false;
	while (rules_next_key(rule, &own, &own_length))
		if (own_length == key_length &&
		    memcmp(own, key, key_length) == 0)
			return true;
	return false;
}

static bool has_data(const struct rules_rule *rule, const char *data,
		     size_t length)
{
	return rule->data.length == length &&
	       (length == 0 || memcmp(rule->data.data, data, length) == 0);
}

/* The record's only line. In a file that tcprules did not make, or that an
   older one did, there may be none that would become this record. */
static bool comes_back(struct rules_rule *rule, const struct str *line,
		       const struct table_record *record)
{
	return !memchr(line->data, '\n', line->length) &&
	       is_line_of(rule, line->data, line->length, record->key,
			  record->key_length) &&
	       rule->front == rule->rest &&
	       has_data(rule, record->value, record->value_length);
}

static void dump(const char *path)
{
	struct rules_rule rule = { 0 };
	struct str line = { 0 }, shown = { 0 };
	struct table_record record;
	enum table_answer answer;
	struct table table;
	unsigned at = 0;

	open_table(&table, path);
	while ((answer = table_next(&table, &at, &record)) == TABLE_FOUND) {
		if (record.key_length == strlen(RULES_LENGTHS_KEY) &&
		    *record.key == *RULES_LENGTHS_KEY)
			continue;
		str_clear(&line);
		append_rule(&line, record.key, record.key_length, record.value,
			    record.value_length);
		if (!comes_back(&rule, &line, &record)) {
			str_clear(&shown);
			str_append_text(&shown, "# not from a line: ");
			str_append_printable(&shown, line.data, line.length);
			str_clear(&line);
			str_append(&line, shown.data, shown.length);
		}
		str_append_byte(&line, '\n');
		fwrite(line.data, 1, line.length, stdout);
	}
	if (answer == TABLE_FAILED) fail_to_read(path);
}

/* Why: the client and the keys. */

static void print_named(const char *name, const char *text)
{
	char shown[SHOWN_TEXT];

	printf("%s %s\n", name, printable_text(shown, sizeof shown, text));
}

static void print_client(const struct request *request)
{
	print_named("client", request->client.ip);
	if (request->client.host) print_named("host", request->client.host);
	if (request->client.info) print_named("info", request->client.info);
}

static void print_keys(const struct str *tried, enum table_answer answer)
{
	const char *end = tried->data + tried->length;

	for (const char *key = tried->data; key < end;) {
		const char *next = key + strlen(key) + 1;

		print_named(next == end && answer == TABLE_FOUND ? "found"
								 : "tried",
			    key);
		key = next;
	}
}

/* Why: the line. */

static void print_line(const char *label, const char *line, size_t length)
{
	struct str text = { 0 };
	char shown[SHOWN_TEXT];

	str_append(&text, line, length);
	printf("%s: %s\n", label,
	       printable_text(shown, sizeof shown, text.data));
	str_free(&text);
}

/* The first of the lines with that address is the one that has won, if the
   file was compiled from them. */
static void find_line(const char *path, const struct rules_match *match)
{
	struct rules_rule rule = { 0 };
	struct str text = { 0 };
	unsigned long number = 0;
	size_t length;
	char label[64];

	if (file_read(path, &text, LARGEST_SOURCE) < 0) fail_to_read(path);
	for (size_t at = 0; at < text.length; at += length + 1) {
		const char *line = text.data + at;
		const char *end = memchr(line, '\n', text.length - at);

		length = end ? (size_t)(end - line) : text.length - at;
		number++;
		if (!is_line_of(&rule, line, length, match->key.data,
				match->key.length))
			continue;
		snprintf(label, sizeof label, "line %lu", number);
		print_line(label, line, length);
		if (!has_data(&rule, match->data, match->data_length))
			printf("line %lu is newer than the compiled rule\n",
			       number);
		return;
	}
	printf("no line has this address: the rules have changed since they "
	       "were compiled\n");
}

static void print_origin(const struct request *request,
			 const struct rules_match *match)
{
	struct str line = { 0 };

	append_rule(&line, match->key.data, match->key.length, match->data,
		    match->data_length);
	print_line("compiled", line.data, line.length);
	if (request->source) find_line(request->source, match);
	str_free(&line);
}

/* Why: the limits, from the rule or else from the environment. */

struct setting {
	const char *value; /* NULL: there is none */
	const char *from;
};

static struct setting find_setting(const struct rules_match *match,
				   const char *name)
{
	struct setting setting = { getenv(name), "the environment" };
	size_t length = strlen(name), at = 0;
	const char *item;

	while ((item = rules_next_item(match->data, match->data_length, &at)))
		if (*item == '+' && strncmp(item + 1, name, length) == 0 &&
		    item[1 + length] == '=')
			setting = (struct setting){ item + length + 2,
						    "the rule" };
	return setting;
}

/* The text for that reason; the one for all when it has none of its own. */
static void print_text(const struct rules_match *match, const char *reason)
{
	struct setting text = { 0 };
	char name[64], shown[SHOWN_TEXT];

	snprintf(name, sizeof name, "DIEMSG_%s", reason ? reason : "");
	if (reason) text = find_setting(match, name);
	if (!text.value || !*text.value) {
		snprintf(name, sizeof name, "DIEMSG");
		text = find_setting(match, name);
	}
	if (!text.value || !*text.value) {
		printf("  is told nothing\n");
		return;
	}
	printf("  is told by %s from %s: %s\n", name, text.from,
	       printable_text(shown, sizeof shown, text.value));
}

/* The lengths are the server's, never a rule's. */
static unsigned prefix_length(const struct net_ip *ip, enum counted counted)
{
	static const struct {
		const char *name;
		unsigned usual;
	} lengths[2][2] = {
		{ { "LIMIT_PREFIX_IP4", 32 }, { "LIMIT_PREFIX_C4", 24 } },
		{ { "LIMIT_PREFIX_IP6", 64 }, { "LIMIT_PREFIX_C6", 48 } },
	};
	size_t family = ip->family == NET_IPV6, kind = counted == BY_NETWORK;
	const char *name = lengths[family][kind].name, *value = getenv(name);
	unsigned most = net_ip_bits(ip->family);
	unsigned long length = lengths[family][kind].usual;

	if (value && *value && parse_number(value, 0, most, &length) < 0)
		warn("%s is no number from 0 to %u: tcpserver will not start",
		     name, most);
	return (unsigned)length;
}

static void print_counted(const struct request *request, enum counted counted)
{
	char text[NET_IP_TEXT];
	struct net_ip ip;
	unsigned length;

	if (counted == BY_LOAD) {
		printf(", in hundredths of the load average\n");
		return;
	}
	if (net_ip_parse(request->client.ip, &ip) < 0) {
		printf("\n");
		return;
	}
	length = prefix_length(&ip, counted);
	net_ip_mask(&ip, length);
	printf(", counted for %s/%u\n", net_ip_format(&ip, text), length);
}

/* A denied client is asked for nothing but the load. */
static void print_limits(const struct request *request,
			 const struct rules_match *match)
{
	bool deny = rules_deny(match->data, match->data_length);

	for (const struct limit *limit = limits; limit < limits + LIMITS;
	     limit++) {
		struct setting setting = find_setting(match, limit->name);
		unsigned long number;

		if (!setting.value || !*setting.value) continue;
		if (deny && limit->counted != BY_LOAD) continue;
		if (!parse_leading_number(setting.value, &number)) {
			printf("limit %s from %s is no number, so there is "
			       "none\n",
			       limit->name, setting.from);
			continue;
		}
		if (limit->counted == BY_LOAD && number == 0) continue;
		printf("limit %s %lu from %s", limit->name, number,
		       setting.from);
		print_counted(request, limit->counted);
		print_text(match, limit->name);
	}
	if (!deny) return;
	printf("denied\n");
	print_text(match, NULL);
}

/* Why: the PROXY header. It comes before the look-ups, so the address alone
   decides who is trusted with it. */
static void print_proxy(struct table *table, const struct request *request)
{
	const struct rules_client alone = { .ip = request->client.ip };
	struct rules_match match = { 0 };
	struct setting proxy;

	if (rules_find(table, &alone, &match) == TABLE_FAILED)
		fail_to_read(request->cdb);
	proxy = find_setting(&match, "PROXY");
	if (proxy.value && strcmp(proxy.from, "the rule") == 0 &&
	    parse_flag(proxy.value) &&
	    !rules_deny(match.data, match.data_length))
		print_line("PROXY header is read first, by rule",
			   match.key.data, match.key.length);
}

static void answer(const struct request *request)
{
	struct str tried = { 0 };
	struct rules_match match = { .tried =
					     request->verbose ? &tried : NULL };
	enum table_answer found;
	struct table table;

	open_table(&table, request->cdb);
	found = rules_find(&table, &request->client, &match);
	if (found == TABLE_FAILED) fail_to_read(request->cdb);
	if (request->verbose) {
		print_client(request);
		print_keys(&tried, found);
		if (found == TABLE_FOUND) print_origin(request, &match);
		print_proxy(&table, request);
		print_limits(request, &match);
	}
	print_answer(found, &match);
}

/* The address becomes what tcpserver would call it. */
static void read_client(struct request *request)
{
	struct net_ip ip;

	request->client = (struct rules_client){
		.ip = getenv("TCPREMOTEIP"),
		.host = getenv("TCPREMOTEHOST"),
		.info = getenv("TCPREMOTEINFO"),
	};
	if (!request->client.ip) request->client.ip = "0.0.0.0";
	if (net_ip_parse(request->client.ip, &ip) == 0)
		request->client.ip = net_ip_format(&ip, request->ip);
}

int main(int argc, char **argv)
{
	struct request request = { 0 };
	bool only_dump = false;
	int letter, files;

	program_name = "tcprulescheck";
	while ((letter = option_next(argc, argv, "dv", usage)) != -1) {
		if (letter == 'd') only_dump = true;
		else request.verbose = true;
	}
	files = argc - optind;
	if (files < 1 || files > (request.verbose ? 2 : 1) ||
	    (request.verbose && only_dump))
		die_usage(usage);
	request.cdb = argv[optind];
	if (files == 2) request.source = argv[optind + 1];
	read_client(&request);

	if (only_dump) dump(request.cdb);
	else answer(&request);
	if (fflush(stdout) != 0) die_temporary("unable to write output:");
	return EXIT_DONE;
}
