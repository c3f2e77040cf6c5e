/* SPDX-License-Identifier: ISC */
#include "mail/spf_macro.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/parse.h"
static const char delimiters[] = ".-+,/_=";

/* One piece of a macro-string, read. */
struct piece {
	struct spf_text literal; /* without a letter: this */
	char letter;             /* in lower case */
	bool is_ours;            /* behind an x */
	bool is_escaped;
	bool is_reversed;
	unsigned parts;         /* 0: all */
	struct spf_text splits; /* the delimiters */
};

/* Reading. */

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_letter(char byte)
{
	return parse_lower(byte) >= 'a' && parse_lower(byte) <= 'z';
}

static bool is_printable(char byte)
{
	return (unsigned char)byte >= ' ' && (unsigned char)byte < 127;
}

static char first(const struct spf_text *text)
{
	return text->length > 0 ? *text->at : '\0';
}

static char take_byte(struct spf_text *text)
{
	char byte = first(text);

	if (text->length == 0) return byte;
	text->at++;
	text->length--;
	return byte;
}

/* The number of parts: any number of digits, but not zero. */
static bool take_parts(struct spf_text *text, struct piece *piece)
{
	enum { MANY = 255 };
	bool has_digits = is_digit(first(text));

	while (is_digit(first(text))) {
		piece->parts =
			piece->parts * 10 + (unsigned)(take_byte(text) - '0');
		if (piece->parts > MANY) piece->parts = MANY;
	}
	return !has_digits || piece->parts > 0;
}

static bool is_known(const struct piece *piece, enum spf_letters letters)
{
	if (piece->is_ours)
		return letters == SPF_IN_LOCAL_TEXTS &&
		       strchr("rse", piece->letter);
	return strchr(letters == SPF_IN_NAMES ? "slodipvh" : "slodipvhcrt",
		      piece->letter);
}

/* What stands behind "%{". */
static bool take_macro(struct spf_text *text, struct piece *piece,
		       enum spf_letters letters)
{
	char letter = take_byte(text);

	if (parse_lower(letter) == 'x') {
		piece->is_ours = true;
		letter = take_byte(text);
	}
	if (!is_letter(letter)) return false;
	piece->letter = parse_lower(letter);
	piece->is_escaped = piece->letter != letter;
	if (!is_known(piece, letters) || !take_parts(text, piece)) return false;
	if (parse_lower(first(text)) == 'r') {
		piece->is_reversed = true;
		take_byte(text);
	}
	piece->splits.at = text->at;
	while (first(text) && strchr(delimiters, first(text))) take_byte(text);
	piece->splits.length = (size_t)(text->at - piece->splits.at);
	return take_byte(text) == '}';
}

static bool is_plain(char byte, enum spf_letters letters)
{
	return is_printable(byte) && byte != '%' &&
	       (byte != ' ' || letters >= SPF_IN_EXPLANATIONS);
}

/* False: there is no such piece. The text has one. */
static bool take_piece(struct spf_text *text, struct piece *piece,
		       enum spf_letters letters)
{
	*piece = (struct piece){ .literal = { .at = text->at } };
	while (text->length > 0 && is_plain(*text->at, letters))
		take_byte(text);
	piece->literal.length = (size_t)(text->at - piece->literal.at);
	if (piece->literal.length > 0) return true;
	if (take_byte(text) != '%') return false;
	switch (take_byte(text)) {
	case '%': piece->literal = (struct spf_text){ "%", 1 }; return true;
	case '_': piece->literal = (struct spf_text){ " ", 1 }; return true;
	case '-': piece->literal = (struct spf_text){ "%20", 3 }; return true;
	case '{': return take_macro(text, piece, letters);
	default: return false;
	}
}

bool spf_macro_is_string(struct spf_text text, enum spf_letters letters)
{
	struct piece piece;

	while (text.length > 0)
		if (!take_piece(&text, &piece, letters)) return false;
	return true;
}

bool spf_macro_uses(struct spf_text text, const char *letters)
{
	struct piece piece;

	while (text.length > 0 && take_piece(&text, &piece, SPF_IN_LOCAL_TEXTS))
		if (piece.letter && !piece.is_ours &&
		    strchr(letters, piece.letter))
			return true;
	return false;
}

/* Letters, digits and inner hyphens, and not only digits. */
static bool is_top_label(const char *at, size_t length)
{
	bool is_number = true;

	if (length == 0 || at[0] == '-' || at[length - 1] == '-') return false;
	for (size_t i = 0; i < length; i++) {
		if (!is_letter(at[i]) && !is_digit(at[i]) && at[i] != '-')
			return false;
		if (!is_digit(at[i])) is_number = false;
	}
	return !is_number;
}

/* ".museum" or ".museum." */
static bool ends_in_top_label(struct spf_text literal)
{
	size_t end = literal.length, start;

	if (end > 0 && literal.at[end - 1] == '.') end--;
	for (start = end; start > 0 && literal.at[start - 1] != '.';) start--;
	return start > 0 && is_top_label(literal.at + start, end - start);
}

bool spf_macro_is_domain(struct spf_text text)
{
	const char *start = text.at;
	struct piece last = { 0 };

	if (text.length == 0) return false;
	while (text.length > 0) {
		start = text.at;
		if (!take_piece(&text, &last, SPF_IN_NAMES)) return false;
	}
	return *start == '%' || ends_in_top_label(last.literal);
}

/* Writing: into a room that keeps the end or the beginning of what is written,
   and never grows. */

enum keeping { KEEP_START, KEEP_END };

struct output {
	char *room;
	size_t size, used;
	enum keeping keeping;
};

static void put_byte(struct output *output, char byte)
{
	if (output->used == output->size) {
		size_t half = output->size / 2;

		if (output->keeping == KEEP_START) return;
		memmove(output->room, output->room + half, output->used - half);
		output->used -= half;
	}
	output->room[output->used++] = byte;
}

static void put_escaped(struct output *output, char byte)
{
	static const char digits[] = "0123456789ABCDEF";
	unsigned char value = (unsigned char)byte;

	if (is_letter(byte) || is_digit(byte) ||
	    (byte && strchr("-._~", byte))) {
		put_byte(output, byte);
		return;
	}
	put_byte(output, '%');
	put_byte(output, digits[value >> 4]);
	put_byte(output, digits[value & 15]);
}

static void put_part(struct output *output, const struct piece *piece,
		     const char *at, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (piece->is_escaped) put_escaped(output, at[i]);
		else put_byte(output, at[i]);
}

static bool is_split(const struct piece *piece, char byte)
{
	if (piece->splits.length == 0) return byte == '.';
	return memchr(piece->splits.at, byte, piece->splits.length);
}

static size_t count_parts(const struct piece *piece, struct spf_text value)
{
	size_t count = 1;

	for (size_t i = 0; i < value.length; i++)
		if (is_split(piece, value.at[i])) count++;
	return count;
}

/* The rightmost parts, in their order. */
static void put_forward(struct output *output, const struct piece *piece,
			struct spf_text value)
{
	size_t count = count_parts(piece, value), skipped = 0, start = 0;

	if (piece->parts > 0 && count > piece->parts)
		skipped = count - piece->parts;
	for (; skipped > 0; start++)
		if (is_split(piece, value.at[start])) skipped--;
	for (size_t i = start; i < value.length; i++)
		if (is_split(piece, value.at[i])) put_byte(output, '.');
		else put_part(output, piece, value.at + i, 1);
}

/* The leftmost ones, from the last of them to the first. */
static void put_backward(struct output *output, const struct piece *piece,
			 struct spf_text value)
{
	size_t left = piece->parts, end = 0;

	for (; end < value.length; end++)
		if (is_split(piece, value.at[end]) && left > 0 && --left == 0)
			break;
	for (size_t start = end;; start--) {
		if (start > 0 && !is_split(piece, value.at[start - 1]))
			continue;
		put_part(output, piece, value.at + start, end - start);
		if (start == 0) break;
		put_byte(output, '.');
		end = start - 1;
	}
}

/* "1.2.3.4", or 32 digits of 4 bits. */
static const char *dotted(const struct net_ip *ip, char room[64])
{
	static const char digits[] = "0123456789ABCDEF";

	if (ip->family != NET_IPV6) return net_ip_format(ip, room);
	for (size_t i = 0; i < 16; i++) {
		room[4 * i] = digits[ip->bytes[i] >> 4];
		room[4 * i + 1] = '.';
		room[4 * i + 2] = digits[ip->bytes[i] & 15];
		room[4 * i + 3] = i < 15 ? '.' : '\0';
	}
	return room;
}

static const char *seconds_text(char room[64])
{
	snprintf(room, 64, "%lld", (long long)time(NULL));
	return room;
}

static const char *our_value(char letter, const struct spf_values *values)
{
	switch (letter) {
	case 'r': return values->receiver;
	case 's': return values->subject;
	default: return values->reason;
	}
}

static const char *value_of(const struct piece *piece,
			    const struct spf_values *values, char room[64])
{
	if (piece->is_ours) return our_value(piece->letter, values);
	switch (piece->letter) {
	case 's': return values->sender;
	case 'l': return values->local_part;
	case 'o': return values->sender_domain;
	case 'd': return values->domain;
	case 'i': return dotted(&values->ip, room);
	case 'p': return values->host;
	case 'v': return values->ip.family == NET_IPV6 ? "ip6" : "in-addr";
	case 'h': return values->helo;
	case 'c': return net_ip_format(&values->ip, room);
	case 'r': return values->receiver;
	default: return seconds_text(room);
	}
}

/* Nothing that stands for one is longer: what a client says ends here. */
enum { LONGEST_VALUE = 1024 };

static void put_piece(struct output *output, const struct piece *piece,
		      const struct spf_values *values)
{
	char room[64];
	struct spf_text value = piece->literal;

	if (piece->letter) {
		value.at = value_of(piece, values, room);
		if (!value.at) value.at = "unknown";
		value.length = strnlen(value.at, LONGEST_VALUE);
	}
	if (piece->is_reversed) put_backward(output, piece, value);
	else if (piece->parts > 0 || piece->splits.length > 0)
		put_forward(output, piece, value);
	else put_part(output, piece, value.at, value.length);
}

static void put_all(struct output *output, struct spf_text text,
		    const struct spf_values *values)
{
	struct piece piece;

	while (text.length > 0 && take_piece(&text, &piece, SPF_IN_LOCAL_TEXTS))
		put_piece(output, &piece, values);
}

/* Is it one that can be asked for? */
static bool is_name(const char *name)
{
	size_t label = 0;

	for (; *name; name++) {
		label = *name == '.' ? 0 : label + 1;
		if (label > 63 || !is_printable(*name)) return false;
		if (*name == '.' && (name[1] == '.' || name[1] == '\0'))
			return false;
	}
	return label > 0;
}

bool spf_macro_name(struct spf_text text, const struct spf_values *values,
		    char name[DNS_NAME])
{
	enum { LONGEST = DNS_NAME - 1 };
	/* The end stays, and as much before it as tells where labels begin. */
	char room[4 * DNS_NAME];
	struct output output = { .room = room,
				 .size = sizeof room,
				 .keeping = KEEP_END };
	size_t start = 0;

	put_all(&output, text, values);
	if (output.used > 0 && room[output.used - 1] == '.') output.used--;
	while (output.used - start > LONGEST) {
		const char *dot =
			memchr(room + start, '.', output.used - start);

		name[0] = '\0';
		if (!dot) return false;
		start = (size_t)(dot + 1 - room);
	}
	memcpy(name, room + start, output.used - start);
	name[output.used - start] = '\0';
	return strlen(name) == output.used - start && name[0] != '.' &&
	       is_name(name);
}

void spf_macro_explain(struct spf_text text, const struct spf_values *values,
		       char *room, size_t size)
{
	struct output output = { .room = room,
				 .size = size - 1,
				 .keeping = KEEP_START };

	put_all(&output, text, values);
	room[output.used] = '\0';
	for (size_t i = 0; i < output.used; i++)
		if (!is_printable(room[i])) room[i] = '?';
}
