/* SPDX-License-Identifier: ISC */
#include "mail/mime_signature.h"

#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "mail/header.h"

/* "MZ" and what the usual linkers write behind it, as qmail-ldap knows them. */
static const char programs[] = "TVqQAAMAA\0TVpQAAIAA\0TVpAALQAc\0TVpyAXkAX\0"
			       "TVrmAU4AA\0TVrhARwAk\0TVoFAQUAA\0TVoAAAQAA\0"
			       "TVoIARMAA\0TVouARsAA\0TVrQAT8AA";

static bool begins_with(const char *line, size_t length, const char *signature)
{
	for (; *signature; signature++, line++, length--)
		if (length == 0 || (*signature != '*' && *signature != *line))
			return false;
	return true;
}

const char *mime_signature_of(const char *signatures, size_t length,
			      const char *line, size_t line_length)
{
	const char *signature = signatures ? signatures : programs;
	const char *end = signature + (signatures ? length : sizeof programs);

	for (; signature < end; signature += strlen(signature) + 1)
		if (begins_with(line, line_length, signature)) return signature;
	return NULL;
}

void mime_signature_start(struct mime_signature_scan *scan,
			  const char *signatures, size_t length)
{
	scan->signatures = signatures;
	scan->signatures_length = length;
	scan->match = NULL;
	scan->place = MIME_HEADER;
	scan->is_multipart = scan->is_message = scan->is_other = false;
	scan->is_content_type = false;
	scan->active = scan->depth = 0;
	scan->line_length = scan->field_length = 0;
}

/* Content-Type. */

struct cursor {
	const char *at;
	const char *end;
};

static bool take_byte(struct cursor *c, char byte)
{
	if (!header_skip_comments(&c->at, c->end) || c->at == c->end ||
	    *c->at != byte)
		return false;
	c->at++;
	return true;
}

/* Up to a blank or one of the marks. */
static bool take_word(struct cursor *c, const char *marks, const char *word)
{
	const char *start = c->at;

	while (c->at < c->end && *c->at && !strchr(marks, *c->at)) c->at++;
	return parse_same_word(start, (size_t)(c->at - start), word);
}

/* One that is there already is replaced by one that every part has. */
static void add_boundary(struct mime_signature_scan *scan, const char *text,
			 size_t length)
{
	struct mime_boundary *boundary;

	if (scan->depth == MIME_DEPTH) length = 0;
	else scan->depth++;
	boundary = &scan->boundaries[scan->depth - 1];
	memcpy(boundary->text, text, length);
	boundary->length = (unsigned char)length;
}

/* Without quotes it may hold what it may not; as lines only need to begin with
   it, it does no harm to cut it early. */
static void take_boundary(struct mime_signature_scan *scan, struct cursor *c)
{
	char text[MIME_BOUNDARY];
	size_t length = 0;
	bool is_quoted = take_byte(c, '"');

	for (; c->at < c->end; c->at++) {
		if (is_quoted ? *c->at == '"'
			      : !*c->at || strchr(" \t;(\"", *c->at))
			break;
		if (is_quoted && *c->at == '\\' && c->end - c->at > 1) c->at++;
		if (length < sizeof text) text[length++] = *c->at;
	}
	while (length > 0 && strchr(" \t", text[length - 1])) length--;
	add_boundary(scan, text, length);
}

/* Behind the next ';' that is not in quotes or a comment. */
static bool next_parameter(struct cursor *c)
{
	while (header_skip_comments(&c->at, c->end) && c->at < c->end) {
		char byte = *c->at++;

		if (byte == ';') return header_skip_comments(&c->at, c->end);
		if (byte != '"') continue;
		for (; c->at < c->end && *c->at != '"'; c->at++)
			if (*c->at == '\\' && c->end - c->at > 1) c->at++;
		if (c->at < c->end) c->at++;
	}
	return false;
}

/* A part of parts whose boundary is not to be found has every one. */
static void read_content_type(struct mime_signature_scan *scan)
{
	struct cursor c = { scan->field, scan->field + scan->field_length };
	unsigned depth = scan->depth;

	scan->is_content_type = false;
	header_skip_comments(&c.at, c.end);
	if (take_word(&c, " \t/;(", "multipart")) scan->is_multipart = true;
	else scan->is_other = true;
	c.at = scan->field;
	header_skip_comments(&c.at, c.end);
	if (take_word(&c, " \t;(", "message/rfc822")) scan->is_message = true;
	while (next_parameter(&c))
		if (take_word(&c, " \t=;(\"", "boundary") && take_byte(&c, '='))
			take_boundary(scan, &c);
	if (scan->is_multipart && scan->depth == depth)
		add_boundary(scan, "", 0);
}

/* The header of the message, or of a part. */

static void begin_header(struct mime_signature_scan *scan)
{
	scan->place = MIME_HEADER;
	scan->is_multipart = scan->is_message = scan->is_other = false;
	scan->is_content_type = false;
}

static void add_to_field(struct mime_signature_scan *scan, const char *bytes,
			 size_t length)
{
	size_t room = sizeof scan->field - scan->field_length;

	if (length > room) length = room;
	memcpy(scan->field + scan->field_length, bytes, length);
	scan->field_length += length;
}

/* What is behind the colon, if the line begins with that name. */
static const char *content_type(const char *line, size_t length)
{
	static const char name[] = "content-type";
	const char *at = line + sizeof name - 1, *end = line + length;

	if (length < sizeof name ||
	    strncasecmp(line, name, sizeof name - 1) != 0)
		return NULL;
	while (at < end && (*at == ' ' || *at == '\t')) at++;
	return at < end && *at == ':' ? at + 1 : NULL;
}

static void end_header(struct mime_signature_scan *scan)
{
	scan->active = scan->depth;
	if (scan->is_message) begin_header(scan);
	else if (scan->is_multipart && !scan->is_other) scan->place = MIME_REST;
	else scan->place = MIME_FIRST_LINE;
}

static void read_header_line(struct mime_signature_scan *scan, const char *line,
			     size_t length)
{
	const char *value;

	if (length > 0 && (*line == ' ' || *line == '\t')) {
		if (scan->is_content_type) add_to_field(scan, line, length);
		return;
	}
	if (scan->is_content_type) read_content_type(scan);
	if (length == 0) {
		end_header(scan);
		return;
	}
	value = content_type(line, length);
	if (!value) return;
	scan->is_content_type = true;
	scan->field_length = 0;
	add_to_field(scan, value, length - (size_t)(value - line));
}

/* Behind the header. */

/* Of several that the line begins with, the longest: the others are part of
   it. 0 when there is none, or its number, from 1 on. */
static unsigned find_boundary(const struct mime_signature_scan *scan,
			      const char *line, size_t length)
{
	unsigned found = 0;
	size_t longest = 0;

	if (length < 2 || line[0] != '-' || line[1] != '-') return 0;
	for (unsigned i = scan->active; i-- > 0;) {
		const struct mime_boundary *b = &scan->boundaries[i];

		if (b->length > length - 2 || (found && b->length <= longest) ||
		    memcmp(line + 2, b->text, b->length) != 0)
			continue;
		found = i + 1;
		longest = b->length;
	}
	return found;
}

/* Its parts may go on behind the last boundary: some readers do. */
static void begin_part(struct mime_signature_scan *scan, unsigned number,
		       const char *line, size_t length)
{
	size_t used = 2 + scan->boundaries[number - 1].length;

	scan->depth = scan->active = number;
	begin_header(scan);
	if (length >= used + 2 && memcmp(line + used, "--", 2) == 0)
		scan->place = MIME_REST;
}

static void read_first_line(struct mime_signature_scan *scan, const char *line,
			    size_t length)
{
	scan->match = mime_signature_of(scan->signatures,
					scan->signatures_length, line, length);
	scan->place = scan->active && !scan->match ? MIME_REST : MIME_DONE;
}

static void read_line(struct mime_signature_scan *scan, const char *line,
		      size_t length)
{
	unsigned number = find_boundary(scan, line, length);

	/* A line may have ended in CR CR LF. */
	if (length > 0 && line[length - 1] == '\r') length--;
	if (number) begin_part(scan, number, line, length);
	else if (scan->place == MIME_HEADER)
		read_header_line(scan, line, length);
	else if (scan->place == MIME_FIRST_LINE && length > 0)
		read_first_line(scan, line, length);
}

static size_t cut(size_t length)
{
	return length < MIME_LINE ? length : MIME_LINE;
}

static void keep(struct mime_signature_scan *scan, const char *bytes,
		 size_t length)
{
	size_t room = sizeof scan->line - scan->line_length;

	if (length > room) length = room;
	memcpy(scan->line + scan->line_length, bytes, length);
	scan->line_length += length;
}

const char *mime_signature_read(struct mime_signature_scan *scan,
				const char *bytes, size_t length)
{
	const char *end = bytes + length;

	while (bytes < end && scan->place != MIME_DONE) {
		const char *lf = memchr(bytes, '\n', (size_t)(end - bytes));
		size_t n = (size_t)((lf ? lf : end) - bytes);

		if (lf && scan->line_length == 0) {
			read_line(scan, bytes, cut(n));
		} else {
			keep(scan, bytes, n);
			if (!lf) break;
			read_line(scan, scan->line, scan->line_length);
			scan->line_length = 0;
		}
		bytes = lf + 1;
	}
	return scan->match;
}

const char *mime_signature_end(struct mime_signature_scan *scan)
{
	return mime_signature_read(scan, "\n", 1);
}
