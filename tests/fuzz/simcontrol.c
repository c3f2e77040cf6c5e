/* simcontrol: any bytes as a record of the table. What is read is made of the words
   that stand there, and written as a record, and read again, it is the same.
   SPDX-License-Identifier: ISC */
#include "mail/simcontrol.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const char separators[] = " =\t\r\n,\"'";

static void check_word(const char *word, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!word[i] || strchr(separators, word[i])) __builtin_trap();
}

static void check_pair(const struct simcontrol_pair *pair, const char *from,
		       const char *at, const char *end)
{
	if (pair->name < from || pair->name + pair->name_length > pair->value ||
	    pair->value + pair->value_length != at || at > end || at <= from)
		__builtin_trap();
	check_word(pair->name, pair->name_length);
	check_word(pair->value, pair->value_length);
}

static void write_flag(struct str *text, const char *name,
		       enum simcontrol_flag flag)
{
	if (flag == SIMCONTROL_UNSET) return;
	str_append_text(text, name);
	str_append_text(text, flag == SIMCONTROL_YES ? "=yes," : "=no,");
}

static void write_list(struct str *text, const char *name,
		       const struct str *list)
{
	if (list->length == 0) return;
	if (list->data[list->length - 1]) __builtin_trap();
	str_append_text(text, name);
	for (size_t at = 0; at < list->length;) {
		const char *word = list->data + at;

		if (!*word || strchr(word, ':')) __builtin_trap();
		check_word(word, strlen(word));
		str_append_byte(text, at ? ':' : '=');
		str_append_text(text, word);
		at += strlen(word) + 1;
	}
	str_append_byte(text, ',');
}

static void write_text(struct str *text, const char *name, const char *value)
{
	if (!value) return;
	if (!*value) __builtin_trap();
	check_word(value, strlen(value));
	str_append_text(text, name);
	str_append_byte(text, '=');
	str_append_text(text, value);
	str_append_byte(text, ',');
}

static void write_numbers(struct str *text, const struct simcontrol *control)
{
	char number[64];
	long hits = labs(control->spam_hits);

	if (control->has_spam_hits) {
		snprintf(number, sizeof number, "spam_hits=%s%ld.%02ld,",
			 control->spam_hits < 0 ? "-" : "", hits / 100,
			 hits % 100);
		str_append_text(text, number);
	}
	if (control->has_size_limit) {
		snprintf(number, sizeof number, "size_limit=%zu,",
			 control->size_limit);
		str_append_text(text, number);
	}
}

static void write_record(struct str *text, const struct simcontrol *control)
{
	write_flag(text, "clam", control->clam);
	write_flag(text, "spam", control->spam);
	write_flag(text, "spam_passthru", control->spam_passthru);
	write_numbers(text, control);
	write_list(text, "attach", &control->attach);
	write_list(text, "regex", &control->regex);
	write_text(text, "qmailqueue", control->qmailqueue);
	write_text(text, "spamuser", control->spamuser);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct simcontrol control = { 0 }, again = { 0 };
	struct str text = { 0 }, text_again = { 0 };
	char *copy = malloc(length ? length : 1); /* to see a read behind it */
	const char *at = copy, *from = copy;
	struct simcontrol_pair pair;

	if (!copy) abort();
	memcpy(copy, bytes, length);
	while (simcontrol_next(&control, &at, copy + length, &pair) !=
	       SIMCONTROL_END) {
		check_pair(&pair, from, at, copy + length);
		from = at;
	}
	write_record(&text, &control);
	simcontrol_read(&again, text.data ? text.data : "", text.length);
	write_record(&text_again, &again);
	if (text.length != text_again.length ||
	    (text.length && memcmp(text.data, text_again.data, text.length)))
		__builtin_trap();
	simcontrol_free(&control);
	simcontrol_free(&again);
	str_free(&text);
	str_free(&text_again);
	free(copy);
	return 0;
}
