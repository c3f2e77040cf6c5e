/* SPF checks whose every answer comes from the input, instead of system/dns.c:
   records, hosts, addresses and failures, in any order. No check asks for more
   than it may, or for what is no name, and nothing that it prints is a control
   byte or more than it should be.

   The input: a byte of flags; lines for sender, HELO, rules, guess and
   explanation; the answers, each a byte that says what it is, and its records.
   SPDX-License-Identifier: ISC */
#include "mail/spf.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { LINE = 1200, MOST_WAITING = 64, SENT = 8192 };

/* A check, and one each by rules and by a guess; what is asked ahead. */
enum { MOST_ASKED = 3 * 123 + 45 };

static const uint8_t *input;
static size_t left;
static unsigned asked;
static deadline now;

static unsigned take_byte(void)
{
	if (left == 0) return 0;
	left--;
	return *input++;
}

/* Up to a line end, or to the end. */
static void take_line(char line[LINE])
{
	size_t used = 0;

	while (left > 0) {
		char byte = (char)take_byte();

		if (byte == '\n') break;
		if (byte && used + 1 < LINE) line[used++] = byte;
	}
	line[used] = '\0';
}

/* Answers. */

struct dns_question {
	struct dns *dns;
	dns_callback *callback;
	void *context;
	enum dns_type type;
};

static struct dns_question waiting[MOST_WAITING];
static unsigned char message[SENT];
static size_t used;

static void put(const void *data, size_t size)
{
	if (size > sizeof message - used) return;
	memcpy(message + used, data, size);
	used += size;
}

static void put_number(unsigned number)
{
	unsigned char two[] = { (unsigned char)(number >> 8),
				(unsigned char)number };

	put(two, sizeof two);
}

/* "a.test" to "p.test", below them, or what no host has. */
static void put_name(void)
{
	unsigned choice = take_byte();
	unsigned char label[] = { 1, (unsigned char)('a' + choice % 16) };

	if (choice == 255) {
		put("", 1);
		return;
	}
	if (choice & 64) put("\4mail", 5);
	if (choice & 128) put("\3x\n\0", 4);
	put(label, sizeof label);
	put("\4test", 6);
}

/* A record of SPF, mostly. */
static void put_text(unsigned kind)
{
	static const char version[] = "v=spf1 ";
	char line[LINE + sizeof version];
	size_t start = kind & 16 ? 0 : sizeof version - 1, size;

	memcpy(line, version, start);
	take_line(line + start);
	size = strlen(line);
	for (size_t at = 0; at < size; at += 200) {
		unsigned char part =
			(unsigned char)(size - at < 200 ? size - at : 200);

		put(&part, 1);
		put(line + at, part);
	}
}

static void put_address(enum dns_type type, unsigned kind)
{
	unsigned char address[16] = { 192, 0, 2, 1 };
	size_t size = type == DNS_A ? 4 : 16;

	for (size_t i = 0; !(kind & 16) && i < size; i++)
		address[i] = (unsigned char)take_byte();
	put(address, size);
}

static void put_record(enum dns_type type, unsigned kind)
{
	size_t start, size;

	put("\1q", 3);
	put_number(type);
	put("\0\1\0\0\0\0", 6);
	start = used;
	if (start + 2 > sizeof message) return;
	put_number(0);
	if (type == DNS_MX) put_number(10);
	if (type == DNS_MX || type == DNS_PTR) put_name();
	if (type == DNS_TXT) put_text(kind);
	if (type == DNS_A || type == DNS_AAAA) put_address(type, kind);
	size = used - start - 2;
	message[start] = (unsigned char)(size >> 8);
	message[start + 1] = (unsigned char)size;
}

static void answer(struct dns_question question)
{
	unsigned kind = take_byte(), count = kind >> 2 & 3;
	struct dns_answer found = { 0 };

	if (kind & 32) count = kind >> 4;
	used = 0;
	put("\0\0\x81\x80\0\1\0\0\0\0\0\0\1q\0\0\1\0\1", 19);
	message[7] = (unsigned char)count;
	for (unsigned i = 0; i < count; i++) put_record(question.type, kind);
	question.dns->waiting--;
	if (kind & 1) {
		question.callback(question.context,
				  kind & 2 ? DNS_FAILED : DNS_ABSENT, &found);
		return;
	}
	question.callback(
		question.context,
		dns_answer_open(&found, message, used, question.type) > 0
			? DNS_FOUND
			: DNS_ABSENT,
		&found);
}

/* What stands here in place of system/dns.c and system/deadline.c: time passes
   as the input says. */

deadline deadline_in(unsigned long seconds)
{
	return now + (deadline)seconds * 1000;
}

int deadline_left(deadline end)
{
	return end > now ? (int)(end - now) : 0;
}

int dns_open(struct dns *dns, const char *servers)
{
	(void)servers;
	*dns = (struct dns){ .epoll = -1 };
	return 0;
}

void dns_close(struct dns *dns)
{
	dns->waiting = 0;
}

static void check_name(const char *name)
{
	size_t label = 0, size = 0;

	for (; *name; name++) {
		if (*name < ' ' || *name == 127) __builtin_trap();
		if (*name == '\\' && *++name != '\\') __builtin_trap();
		if (*name == '.' && label == 0) __builtin_trap();
		label = *name == '.' ? 0 : label + 1;
		if (label > 63 || ++size > 253) __builtin_trap();
	}
	if (label == 0) __builtin_trap();
}

struct dns_question *dns_ask(struct dns *dns, const char *name,
			     enum dns_type type, dns_callback *callback,
			     void *context)
{
	if (++asked > MOST_ASKED) __builtin_trap();
	check_name(name);
	if (dns->waiting == MOST_WAITING) return NULL;
	waiting[dns->waiting] = (struct dns_question){
		.dns = dns,
		.callback = callback,
		.context = context,
		.type = type,
	};
	return &waiting[dns->waiting++];
}

int dns_timeout(const struct dns *dns)
{
	return dns->waiting > 0 ? 0 : -1;
}

void dns_keep_port(struct dns *dns)
{
	(void)dns;
}

void dns_serve_within(struct dns *dns, int milliseconds)
{
	(void)milliseconds;
	unsigned choice = take_byte();
	size_t chosen = (choice & 63) % dns->waiting;
	struct dns_question question = waiting[chosen];

	if (choice & 64) now += 40;
	if (choice & 128) now += 4000;
	waiting[chosen] = waiting[dns->waiting - 1];
	answer(question);
}

/* What comes out. */

static void check_printable(const char *text, size_t most)
{
	if (strlen(text) > most) __builtin_trap();
	for (; *text; text++)
		if (*text < ' ' || *text == 127) __builtin_trap();
}

/* The comment ends where it should. */
static void check_field(const char *field)
{
	const char *at = strchr(field, '(');

	check_printable(field, 8000);
	if (!at) __builtin_trap();
	for (at++; *at != ')'; at++) {
		if (*at == '\\') at++;
		else if (*at == '(') __builtin_trap();
		if (!*at) __builtin_trap();
	}
	if (strncmp(at, ") client-ip=", 12) != 0) __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct spf_check check;
	static char sender[LINE], helo[LINE], rules[LINE], guess[LINE],
		text[LINE];
	struct spf_request request = { .helo = helo,
				       .sender = sender,
				       .receiver = "receiver.test",
				       .seconds = 20,
				       .rules = rules,
				       .guess = guess,
				       .explanation = text };
	struct str field = { 0 };
	unsigned flags;

	input = bytes;
	left = length;
	asked = 0;
	flags = take_byte();
	(void)net_ip_parse(flags & 1 ? "2001:db8::1" : "192.0.2.1",
			   &request.ip);
	request.blocks_plus_all = flags & 2;
	take_line(sender);
	take_line(helo);
	take_line(rules);
	take_line(guess);
	take_line(text);
	memset(&check, 0, sizeof check);
	(void)spf_check(&check, &request);
	check_printable(check.explanation, SPF_EXPLANATION - 1);
	if (check.result == SPF_PASS && *check.explanation) __builtin_trap();
	spf_append_header(&field, &check, &request);
	check_field(field.data);
	str_free(&field);
	str_free(&check.local_part);
	str_free(&check.address);
	str_free(&check.evaluation.exp);
	dns_cache_close(&check.evaluation.cache);
	return 0;
}
