/* SPDX-License-Identifier: ISC */
#include "mail/conversation.h"

#include <limits.h>
#include <string.h>

#include "base/parse.h"

enum { MECHANISM_LIMIT = 20 }; /* RFC 4422 section 3.1 */

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static bool is_ending(char byte)
{
	return byte == '\r' || byte == '\n';
}

static void start_line(struct conversation *c)
{
	c->line = c->part == CONVERSATION_ANSWER ? LINE_SECRET : LINE_VERB;
	c->line_begun = false;
	c->verb_length = 0;
	c->mechanism_length = 0;
	c->size_ended = false;
}

static void start_body(struct conversation *c)
{
	c->part = CONVERSATION_BODY;
	c->body_line_length = 0;
	c->body_last = '\n';
	/* The dot of an empty message stands right behind DATA's CRLF. */
	c->body_line_follows_crlf = true;
	c->body_had_loose_dot = false;
}

static void start_commands(struct conversation *c)
{
	c->part = CONVERSATION_COMMANDS;
	start_line(c);
}

void conversation_start(struct conversation *c, unsigned long replies_owed)
{
	*c = (struct conversation){ .replies_owed = replies_owed };
}

static bool verb_is(const struct conversation *c, const char *verb)
{
	return parse_same_word(c->verb, c->verb_length, verb);
}

/* Of AUTH's line, only the mechanism's name is no secret. */
static void add_to_mechanism(struct conversation *c, char byte)
{
	bool named =
		is_letter(byte) || is_digit(byte) || byte == '-' || byte == '_';

	if (named && c->mechanism_length < MECHANISM_LIMIT)
		c->mechanism_length++;
	else if (is_blank(byte) && c->mechanism_length == 0) return;
	else if (is_blank(byte) || is_ending(byte))
		c->mechanism_length = MECHANISM_LIMIT;
	else c->line = LINE_SECRET;
}

/* The byte that ends the verb, whatever it is: servers differ in what they
   take for one, and "AUTH=PLAIN" or "DATA" and a NUL may mean something. */
static void end_verb(struct conversation *c, char byte)
{
	if (verb_is(c, "AUTH")) {
		c->line = LINE_SECRET;
		if (!is_blank(byte) && !is_ending(byte)) return;
		c->line = LINE_MECHANISM;
		add_to_mechanism(c, byte);
	} else if (verb_is(c, "BDAT")) {
		c->line = LINE_SIZE;
		c->chunk_left = 0;
	} else c->line = LINE_REST;
}

static void add_to_verb(struct conversation *c, char byte)
{
	if (!is_letter(byte)) {
		if (c->verb_length > 0) end_verb(c, byte);
		else if (!is_blank(byte)) c->line = LINE_REST;
	} else if (c->verb_length < sizeof c->verb)
		c->verb[c->verb_length++] = byte;
}

static void add_to_size(struct conversation *c, char byte)
{
	unsigned long digit;

	if (!is_digit(byte)) {
		if (!is_blank(byte) || c->chunk_left > 0) c->size_ended = true;
		return;
	}
	if (c->size_ended) return;
	digit = (unsigned long)(byte - '0');
	if (c->chunk_left > (ULONG_MAX - digit) / 10) c->chunk_left = ULONG_MAX;
	else c->chunk_left = c->chunk_left * 10 + digit;
}

static void add_to_line(struct conversation *c, char byte)
{
	c->line_begun = true;
	switch (c->line) {
	case LINE_VERB: add_to_verb(c, byte); break;
	case LINE_MECHANISM: add_to_mechanism(c, byte); break;
	case LINE_SIZE: add_to_size(c, byte); break;
	case LINE_REST:
	case LINE_SECRET: break;
	}
}

static void ask(struct conversation *c, enum conversation_question question)
{
	c->asked = question;
	c->overruled = false;
}

static void end_line(struct conversation *c)
{
	c->replies_owed++;
	if (c->part == CONVERSATION_ANSWER || verb_is(c, "AUTH"))
		ask(c, ASKED_AUTH);
	else if (verb_is(c, "DATA")) ask(c, ASKED_DATA);
	else if (verb_is(c, "STARTTLS")) ask(c, ASKED_STARTTLS);
	else if (verb_is(c, "BDAT") && c->chunk_left > 0)
		c->part = CONVERSATION_CHUNK;
	start_line(c);
}

static struct conversation_piece take_line(struct conversation *c,
					   const char *bytes, size_t length)
{
	struct conversation_piece piece = { .part = c->part };
	char byte;

	do {
		byte = bytes[piece.length++];
		add_to_line(c, byte);
		if (c->line != LINE_SECRET) piece.shown = piece.length;
	} while (byte != '\n' && piece.length < length);
	if (byte == '\n') end_line(c);
	return piece;
}

/* Only CRLF "." CRLF ends a message for every server; a server that takes less
   shows it by a reply, see end_reply. */
static void end_body_line(struct conversation *c)
{
	bool with_cr = c->body_line_length == 2 && c->body_line[1] == '\r';
	bool dot =
		(with_cr || c->body_line_length == 1) && c->body_line[0] == '.';

	if (dot && with_cr && c->body_line_follows_crlf) {
		c->replies_owed++;
		c->asked = ASKED_NOTHING;
		start_commands(c);
		return;
	}
	if (dot) c->body_had_loose_dot = true;
	c->body_line_follows_crlf = c->body_last == '\r';
	c->body_line_length = 0;
}

static struct conversation_piece take_body(struct conversation *c,
					   const char *bytes, size_t length)
{
	const char *newline = memchr(bytes, '\n', length);
	size_t before = newline ? (size_t)(newline - bytes) : length;
	struct conversation_piece piece = { .part = c->part };

	for (size_t i = 0; i < before && c->body_line_length < 3; i++) {
		if (c->body_line_length < sizeof c->body_line)
			c->body_line[c->body_line_length] = bytes[i];
		c->body_line_length++;
	}
	if (before > 0) c->body_last = bytes[before - 1];
	else if (c->body_line_length == 0) c->body_last = '\n';
	if (newline) end_body_line(c);
	piece.length = piece.shown = before + (newline ? 1 : 0);
	return piece;
}

static struct conversation_piece take_chunk(struct conversation *c,
					    const char *bytes, size_t length)
{
	const char *newline = memchr(bytes, '\n', length);
	struct conversation_piece piece = { .part = c->part };

	if (newline) length = (size_t)(newline - bytes) + 1;
	if (length > c->chunk_left) length = c->chunk_left;
	c->chunk_left -= length;
	if (c->chunk_left == 0) start_commands(c);
	piece.length = piece.shown = length;
	return piece;
}

struct conversation_piece conversation_client(struct conversation *c,
					      const char *bytes, size_t length)
{
	switch (c->part) {
	case CONVERSATION_BODY: return take_body(c, bytes, length);
	case CONVERSATION_CHUNK: return take_chunk(c, bytes, length);
	case CONVERSATION_COMMANDS:
	case CONVERSATION_ANSWER: break;
	case CONVERSATION_ENCRYPTED:
		return (struct conversation_piece){ length, length, c->part };
	}
	return take_line(c, bytes, length);
}

static bool code_is(const struct conversation *c, const char *code)
{
	return memcmp(c->code, code, 3) == 0;
}

/* 500 to 504: the server did not understand. */
static bool code_is_syntax_error(const struct conversation *c)
{
	return memcmp(c->code, "50", 2) == 0 && c->code[2] <= '4';
}

/* The last line of a reply. */
static void end_reply(struct conversation *c)
{
	if (c->replies_owed > 0) c->replies_owed--;
	/* These two answer one question each, whatever was counted. */
	if (code_is(c, "334")) {
		c->asked = ASKED_NOTHING;
		c->part = CONVERSATION_ANSWER;
		c->line = LINE_SECRET;
		return;
	}
	if (code_is(c, "354")) {
		c->asked = ASKED_NOTHING;
		if (c->part != CONVERSATION_BODY) start_body(c);
		return;
	}
	if (c->part == CONVERSATION_BODY && c->body_had_loose_dot)
		start_commands(c);
	if (c->replies_owed > 0) return;
	if (c->part == CONVERSATION_ANSWER) {
		c->part = CONVERSATION_COMMANDS;
		if (!c->line_begun) start_line(c);
	}
	/* The message that nobody has asked for (see stop_waiting). */
	if (c->part == CONVERSATION_BODY && c->asked == ASKED_DATA)
		start_commands(c);
	/* A server that knows BDAT answers when it has the whole chunk. */
	if (c->part == CONVERSATION_CHUNK && code_is_syntax_error(c))
		start_commands(c);
	if (c->asked == ASKED_STARTTLS && code_is(c, "220"))
		c->part = CONVERSATION_ENCRYPTED;
	c->asked = ASKED_NOTHING;
}

static void end_server_line(struct conversation *c)
{
	bool is_reply = c->code_length >= 3 && is_digit(c->code[0]) &&
			is_digit(c->code[1]) && is_digit(c->code[2]);
	bool goes_on = c->code_length >= 4 && c->code[3] == '-';

	c->code_length = 0;
	if (is_reply && !goes_on) end_reply(c);
}

void conversation_server(struct conversation *c, const char *bytes,
			 size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (c->part == CONVERSATION_ENCRYPTED) return;
		if (bytes[i] == '\n') end_server_line(c);
		else if (c->code_length < sizeof c->code)
			c->code[c->code_length++] = bytes[i];
	}
}

bool conversation_is_waiting(const struct conversation *c)
{
	return c->asked != ASKED_NOTHING && !c->overruled;
}

void conversation_stop_waiting(struct conversation *c)
{
	if (!conversation_is_waiting(c)) return;
	c->overruled = true;
	c->replies_owed = 0;
	if (c->asked == ASKED_DATA) start_body(c);
	if (c->asked == ASKED_AUTH) {
		c->part = CONVERSATION_ANSWER;
		start_line(c);
	}
}

bool conversation_in_message(const struct conversation *c)
{
	return c->part == CONVERSATION_BODY || c->part == CONVERSATION_CHUNK;
}
