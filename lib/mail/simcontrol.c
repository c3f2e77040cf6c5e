/* SPDX-License-Identifier: ISC */
#include "mail/simcontrol.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "mail/control.h"
#include "system/table.h"

enum { HITS_MOST = 1000000 };

struct word {
	const char *text;
	size_t length;
};

static bool is_separator(char byte)
{
	return byte == '\0' || strchr(" =\t\r\n,\"'", byte) != NULL;
}

static struct word next_word(const char **at, const char *end)
{
	struct word word;

	while (*at < end && is_separator(**at)) ++*at;
	word.text = *at;
	while (*at < end && !is_separator(**at)) ++*at;
	word.length = (size_t)(*at - word.text);
	return word;
}

static void set_flag(enum simcontrol_flag *flag, struct word word)
{
	if (parse_same_word(word.text, word.length, "yes"))
		*flag = SIMCONTROL_YES;
	else if (parse_same_word(word.text, word.length, "no"))
		*flag = SIMCONTROL_NO;
}

static void set_text(char **text, struct word word)
{
	free(*text);
	*text = strndup(word.text, word.length);
	if (!*text) str_die_of_memory();
}

/* The words between colons; the list so far is gone. */
static void set_list(struct str *list, struct word word)
{
	const char *at = word.text, *end = word.text + word.length;

	str_clear(list);
	while (at < end) {
		const char *colon = memchr(at, ':', (size_t)(end - at));
		size_t length = (size_t)((colon ? colon : end) - at);

		if (length > 0) {
			str_append(list, at, length);
			str_append_byte(list, '\0');
		}
		at += length + 1;
	}
}

/* "5", "5.1", "20.10": more digits are not looked at. */
static bool read_hits(struct word word, long *hits)
{
	const char *at = word.text, *end = word.text + word.length;
	bool is_negative = at < end && *at == '-', has_digit = false;
	long number = 0, unit = 100;

	if (is_negative) at++;
	for (; at < end && *at >= '0' && *at <= '9'; at++) {
		has_digit = true;
		if (number < HITS_MOST) number = number * 10 + (*at - '0');
	}
	number *= 100;
	if (at < end && *at == '.')
		while (++at < end && *at >= '0' && *at <= '9') {
			has_digit = true;
			unit /= 10;
			number += (*at - '0') * unit;
		}
	if (at < end || !has_digit) return false;
	*hits = is_negative ? -number : number;
	return true;
}

static bool read_size(struct word word, size_t *size)
{
	unsigned long number;
	char text[24];

	if (word.length >= sizeof text) return false;
	memcpy(text, word.text, word.length);
	text[word.length] = '\0';
	if (parse_number(text, 0, LONG_MAX, &number) < 0) return false;
	*size = number;
	return true;
}

static bool is_named(struct word word, const char *name)
{
	return parse_same_word(word.text, word.length, name);
}

void simcontrol_read(struct simcontrol *control, const char *value,
		     size_t length)
{
	const char *at = value, *end = value + length;

	for (;;) {
		struct word name = next_word(&at, end);
		struct word word = next_word(&at, end);

		if (word.length == 0) return;
		if (is_named(name, "clam")) set_flag(&control->clam, word);
		else if (is_named(name, "spam")) set_flag(&control->spam, word);
		else if (is_named(name, "spam_passthru"))
			set_flag(&control->spam_passthru, word);
		else if (is_named(name, "spam_hits"))
			control->has_spam_hits |=
				read_hits(word, &control->spam_hits);
		else if (is_named(name, "size_limit"))
			control->has_size_limit |=
				read_size(word, &control->size_limit);
		else if (is_named(name, "attach"))
			set_list(&control->attach, word);
		else if (is_named(name, "regex"))
			set_list(&control->regex, word);
		else if (is_named(name, "qmailqueue"))
			set_text(&control->qmailqueue, word);
		else if (is_named(name, "spamuser"))
			set_text(&control->spamuser, word);
	}
}

static int read_key(struct simcontrol *control, struct table *table,
		    const char *key, size_t length)
{
	const char *value;
	size_t value_length;

	switch (table_find(table, key, length, &value, &value_length)) {
	case TABLE_FOUND:
		if (value_length > SIMCONTROL_VALUE) break;
		simcontrol_read(control, value, value_length);
		return 0;
	case TABLE_ABSENT: return 0;
	case TABLE_FAILED: break;
	}
	errno = EPROTO;
	return -1;
}

/* The keys of an address, general ones first. */
static int read_address(struct simcontrol *control, struct table *table,
			const char *address)
{
	struct str key = { 0 }, whole = { 0 };
	const char *at = strrchr(address, '@');
	size_t local = at ? (size_t)(at - address) : strlen(address);
	int result;

	for (const char *byte = address; *byte; byte++)
		str_append_byte(&whole, parse_lower(*byte));
	result = read_key(control, table, "", 0);
	if (result == 0 && at)
		result = read_key(control, table, whole.data + local + 1,
				  whole.length - local - 1);
	for (size_t i = 1; result == 0 && i <= local; i++) {
		if (i < local && whole.data[i] != '-') continue;
		str_clear(&key);
		str_append(&key, whole.data, i);
		str_append(&key, whole.data + local, whole.length - local);
		result = read_key(control, table, key.data, key.length);
	}
	str_free(&whole);
	str_free(&key);
	return result;
}

int simcontrol_find(struct simcontrol *control, const struct envelope *envelope)
{
	struct table table = { 0 };
	struct str path = { 0 };
	const char *recipient = NULL;
	size_t left = SIMCONTROL_RECIPIENTS;
	int result;

	control_path(&path, "simcontrol.cdb");
	result = table_open(&table, path.data);
	str_free(&path);
	if (result < 0) return errno == ENOENT ? 0 : -1;
	control->has_table = true;
	result = read_address(control, &table, envelope->sender);
	while (result == 0 && left-- > 0 &&
	       (recipient = envelope_next(envelope, recipient)))
		result = read_address(control, &table, recipient);
	table_close(&table);
	return result;
}

bool simcontrol_wants(const struct simcontrol *control,
		      enum simcontrol_flag flag)
{
	return !control->has_table || flag == SIMCONTROL_YES;
}

void simcontrol_free(struct simcontrol *control)
{
	free(control->qmailqueue);
	free(control->spamuser);
	str_free(&control->attach);
	str_free(&control->regex);
	*control = (struct simcontrol){ 0 };
}
