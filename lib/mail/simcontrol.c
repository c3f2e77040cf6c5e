/* SPDX-License-Identifier: ISC */
#include "mail/simcontrol.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "mail/control.h"
#include "mail/spam_score.h"
#include "system/table.h"

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
	struct word word = { *at, 0 };

	while (*at < end && !is_separator(**at)) ++*at;
	word.length = (size_t)(*at - word.text);
	return word;
}

static void skip_separators(const char **at, const char *end)
{
	while (*at < end && is_separator(**at)) ++*at;
}

/* "attach=,spam=no" has an empty list; simscan would take "spam" for one. */
static struct word next_value(const char **at, const char *end)
{
	while (*at < end && is_separator(**at) && **at != '=') ++*at;
	if (*at < end && **at == '=') do
			++*at;
		while (*at < end && **at && strchr(" \t\"'", **at));
	return next_word(at, end);
}

static bool set_flag(enum simcontrol_flag *flag, struct word word)
{
	if (parse_same_word(word.text, word.length, "yes"))
		*flag = SIMCONTROL_YES;
	else if (parse_same_word(word.text, word.length, "no"))
		*flag = SIMCONTROL_NO;
	else return false;
	return true;
}

static bool set_text(char **text, struct word word)
{
	free(*text);
	*text = NULL;
	if (word.length == 0) return true;
	*text = strndup(word.text, word.length);
	if (!*text) str_die_of_memory();
	return true;
}

/* The words between colons. */
static bool add_to_list(struct str *list, struct word word)
{
	const char *at = word.text, *end = word.text + word.length;

	if (word.length == 0) str_clear(list);
	while (at < end) {
		const char *colon = memchr(at, ':', (size_t)(end - at));
		size_t length = (size_t)((colon ? colon : end) - at);

		if (length > 0) {
			str_append(list, at, length);
			str_append_byte(list, '\0');
		}
		at += length + 1;
	}
	return true;
}

static bool set_list(struct str *list, struct word word)
{
	str_clear(list);
	return add_to_list(list, word);
}

static bool set_hits(struct simcontrol *control, struct word word)
{
	if (!spam_score_parse(word.text, word.length, &control->spam_hits))
		return false;
	control->has_spam_hits = true;
	return true;
}

static bool set_size_limit(struct simcontrol *control, struct word word)
{
	unsigned long number;
	char text[24];

	if (word.length >= sizeof text) return false;
	memcpy(text, word.text, word.length);
	text[word.length] = '\0';
	if (parse_number(text, 0, LONG_MAX, &number) < 0) return false;
	control->size_limit = number;
	control->has_size_limit = true;
	return true;
}

enum parameter {
	CLAM,
	SPAM,
	TROPHIE,
	SPAM_PASSTHRU,
	SPAM_HITS,
	SIZE_LIMIT,
	ATTACH,
	REGEX,
	QMAILQUEUE,
	SPAMUSER,
	PARAMETERS,
};

static const char *const names[PARAMETERS] = {
	"clam",       "spam",   "trophie", "spam_passthru", "spam_hits",
	"size_limit", "attach", "regex",   "qmailqueue",    "spamuser",
};

static enum parameter find_parameter(struct word word)
{
	enum parameter parameter = 0;

	while (parameter < PARAMETERS &&
	       !parse_same_word(word.text, word.length, names[parameter]))
		parameter++;
	return parameter;
}

static bool set(struct simcontrol *control, enum parameter parameter,
		struct word word)
{
	enum simcontrol_flag trophie;

	switch (parameter) {
	case CLAM: return set_flag(&control->clam, word);
	case SPAM: return set_flag(&control->spam, word);
	case TROPHIE: return set_flag(&trophie, word); /* there is none */
	case SPAM_PASSTHRU: return set_flag(&control->spam_passthru, word);
	case SPAM_HITS: return set_hits(control, word);
	case SIZE_LIMIT: return set_size_limit(control, word);
	case ATTACH: return set_list(&control->attach, word);
	case REGEX: return add_to_list(&control->regex, word);
	case QMAILQUEUE: return set_text(&control->qmailqueue, word);
	case SPAMUSER: return set_text(&control->spamuser, word);
	case PARAMETERS: break;
	}
	return false;
}

enum simcontrol_outcome simcontrol_next(struct simcontrol *control,
					const char **at, const char *end,
					struct simcontrol_pair *pair)
{
	enum parameter parameter;
	struct word name, value;

	skip_separators(at, end);
	name = next_word(at, end);
	value = next_value(at, end);
	*pair = (struct simcontrol_pair){ name.text, value.text, name.length,
					  value.length };
	if (name.length == 0) return SIMCONTROL_END;
	parameter = find_parameter(name);
	if (parameter == PARAMETERS) return SIMCONTROL_UNKNOWN;
	return set(control, parameter, value) ? SIMCONTROL_SET
					      : SIMCONTROL_NONSENSE;
}

void simcontrol_read(struct simcontrol *control, const char *value,
		     size_t length)
{
	const char *at = value, *end = value + length;
	struct simcontrol_pair pair;

	while (simcontrol_next(control, &at, end, &pair) != SIMCONTROL_END)
		;
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
	size_t local = at ? (size_t)(at - address) : strlen(address), parts = 0;
	int result = 0;

	for (const char *byte = address; *byte; byte++)
		str_append_byte(&whole, parse_lower(*byte));
	/* simscan's key of "postmaster" has an '@' behind it, too. */
	if (!at) str_append_byte(&whole, '@');
	else
		result = read_key(control, table, whole.data + local + 1,
				  whole.length - local - 1);
	for (size_t i = 1; result == 0 && i <= local; i++) {
		if (i < local &&
		    (address[i] != '-' || parts++ >= SIMCONTROL_PARTS))
			continue;
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
	result = read_key(control, &table, "", 0);
	if (result == 0)
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
