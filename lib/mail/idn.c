/* SPDX-License-Identifier: ISC */
#include "mail/idn.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* RFC 3492 section 5 */
enum {
	BASE = 36,
	LEAST = 1,
	MOST = 26,
	SKEW = 38,
	DAMP = 700,
	FIRST_BIAS = 72,
	FIRST_CODE = 128,
	LABEL = 63,
};

struct label {
	uint32_t codes[LABEL];
	size_t count;
	bool is_ascii;
};

struct output {
	char *room;
	size_t used;
	bool is_full;
};

static void put(struct output *output, char byte)
{
	if (output->used + 1 >= DNS_NAME) output->is_full = true;
	else output->room[output->used++] = byte;
}

/* UTF-8 (RFC 3629). */

/* How many bytes follow such a first one; -1: it is none. */
static int following(unsigned char first)
{
	if (first < 0x80) return 0;
	if (first >= 0xc2 && first < 0xe0) return 1;
	if (first >= 0xe0 && first < 0xf0) return 2;
	return first >= 0xf0 && first < 0xf5 ? 3 : -1;
}

/* No longer than it need be, no half of a pair, no control. */
static bool is_code(uint32_t code, int more)
{
	static const uint32_t least[] = { 0, 0xa0, 0x800, 0x10000 };

	return code >= least[more] && code <= 0x10ffff &&
	       (code < 0xd800 || code > 0xdfff);
}

/* Takes a character off the text. */
static bool take_code(const char **text, uint32_t *code)
{
	static const unsigned char bits[] = { 127, 31, 15, 7 };
	unsigned char first = (unsigned char)**text;
	int more = following(first);

	if (more < 0) return false;
	*code = first & bits[more];
	++*text;
	for (int i = 0; i < more; i++, ++*text) {
		unsigned char byte = (unsigned char)**text;

		if ((byte & 0xc0) != 0x80) return false;
		*code = *code << 6 | (byte & 63);
	}
	return is_code(*code, more);
}

/* Up to a dot or the end. 0, or an error. */
static int take_label(const char **text, struct label *label)
{
	label->count = 0;
	label->is_ascii = true;
	while (**text && **text != '.') {
		uint32_t code;

		if (!take_code(text, &code)) return EILSEQ;
		if (label->count == LABEL) return ENAMETOOLONG;
		if (code >= FIRST_CODE) label->is_ascii = false;
		label->codes[label->count++] = code;
	}
	return 0;
}

/* Punycode. */

static uint32_t adapt(uint32_t delta, uint32_t points, bool is_first)
{
	uint32_t k = 0;

	delta = is_first ? delta / DAMP : delta / 2;
	delta += delta / points;
	for (; delta > (BASE - LEAST) * MOST / 2; k += BASE)
		delta /= BASE - LEAST;
	return k + (BASE - LEAST + 1) * delta / (delta + SKEW);
}

static void put_digit(struct output *output, uint32_t digit)
{
	put(output, (char)(digit < 26 ? 'a' + digit : '0' + digit - 26));
}

/* A number of digits whose weights depend on the bias. */
static void put_delta(struct output *output, uint32_t delta, uint32_t bias)
{
	for (uint32_t k = BASE;; k += BASE) {
		uint32_t threshold = k <= bias          ? LEAST
				     : k >= bias + MOST ? MOST
							: k - bias;

		if (delta < threshold) break;
		put_digit(output,
			  threshold + (delta - threshold) % (BASE - threshold));
		delta = (delta - threshold) / (BASE - threshold);
	}
	put_digit(output, delta);
}

static uint32_t next_code(const struct label *label, uint32_t from)
{
	uint32_t least = UINT32_MAX;

	for (size_t i = 0; i < label->count; i++)
		if (label->codes[i] >= from && label->codes[i] < least)
			least = label->codes[i];
	return least;
}

static uint32_t put_basic(struct output *output, const struct label *label)
{
	uint32_t count = 0;

	for (size_t i = 0; i < label->count; i++) {
		if (label->codes[i] >= FIRST_CODE) continue;
		put(output, (char)label->codes[i]);
		count++;
	}
	return count;
}

/* 63 characters: the difference stays far below 2^32. */
static void put_punycode(struct output *output, const struct label *label)
{
	uint32_t basic = put_basic(output, label), handled = basic, delta = 0;
	uint32_t code = FIRST_CODE, bias = FIRST_BIAS;

	if (basic > 0) put(output, '-');
	while (handled < label->count) {
		uint32_t next = next_code(label, code);

		delta += (next - code) * (handled + 1);
		code = next;
		for (size_t i = 0; i < label->count; i++) {
			if (label->codes[i] < code) delta++;
			if (label->codes[i] != code) continue;
			put_delta(output, delta, bias);
			bias = adapt(delta, handled + 1, handled == basic);
			delta = 0;
			handled++;
		}
		delta++;
		code++;
	}
}

static void put_label(struct output *output, const struct label *label)
{
	if (label->is_ascii) {
		(void)put_basic(output, label);
		return;
	}
	for (const char *at = "xn--"; *at; at++) put(output, *at);
	put_punycode(output, label);
}

int idn_to_ascii(const char *domain, char ascii[DNS_NAME])
{
	struct output output = { .room = ascii };
	struct label label;
	int error;

	while ((error = take_label(&domain, &label)) == 0) {
		put_label(&output, &label);
		if (*domain == '\0') break;
		put(&output, *domain++);
	}
	if (error == 0 && output.is_full) error = ENAMETOOLONG;
	ascii[error ? 0 : output.used] = '\0';
	if (error == 0) return 0;
	errno = error;
	return -1;
}

bool idn_is_utf8(const char *text)
{
	uint32_t code;

	while (*text)
		if (!take_code(&text, &code)) return false;
	return true;
}
