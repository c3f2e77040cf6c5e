/* SPDX-License-Identifier: ISC */
#include "mail/mime_signature.h"

#include <string.h>
#include <strings.h>

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
	scan->is_content_type = scan->has_boundary = false;
	scan->active = scan->depth = 0;
	scan->line_length = 0;
}

/* Content-Type. */

/* Of one header, the shortest do: lines only need to begin with them. One that
   there is no room for makes the last one one that every part has. */
static void add_boundary(struct mime_signature_scan *scan, const char *text,
			 size_t length)
{
	struct mime_boundary *boundary;

	if (length > MIME_BOUNDARY) length = MIME_BOUNDARY;
	for (unsigned i = scan->active; i < scan->depth; i++) {
		boundary = &scan->boundaries[i];
		if (boundary->length <= length &&
		    memcmp(boundary->text, text, boundary->length) == 0)
			return;
	}
	if (scan->depth == MIME_DEPTH) length = 0;
	else scan->depth++;
	boundary = &scan->boundaries[scan->depth - 1];
	memcpy(boundary->text, text, length);
	boundary->length = (unsigned char)length;
}

static void read_parameter(struct mime_signature_scan *scan)
{
	const struct mime_field *field = &scan->field;

	if (field->name_length == 0) {
		if (mime_field_is(field, "multipart"))
			scan->is_multipart = true;
		else if (field->is_whole) scan->is_other = true;
		if (mime_field_is(field, "message/rfc822"))
			scan->is_message = true;
	} else if (strcmp(field->name, "boundary") == 0) {
		add_boundary(scan, field->value, field->value_length);
		scan->has_boundary = true;
	} else if (strncmp(field->name, "boundary*", 9) == 0) {
		/* RFC 2231; of two, some readers take this one. */
		add_boundary(scan, "", 0);
	}
}

static void read_content_type(struct mime_signature_scan *scan,
			      const char *bytes, size_t length)
{
	const char *end = bytes + length;

	while (mime_field_read(&scan->field, &bytes, end)) read_parameter(scan);
}

/* A part of parts whose boundary is not to be found has every one. */
static void end_content_type(struct mime_signature_scan *scan)
{
	scan->is_content_type = false;
	if (mime_field_end(&scan->field)) read_parameter(scan);
	if (scan->is_multipart && !scan->has_boundary)
		add_boundary(scan, "", 0);
}

/* The header of the message, or of a part. */

static void begin_header(struct mime_signature_scan *scan)
{
	scan->place = MIME_HEADER;
	scan->is_multipart = scan->is_message = scan->is_other = false;
	scan->is_content_type = false;
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
		if (scan->is_content_type)
			read_content_type(scan, line, length);
		return;
	}
	if (scan->is_content_type) end_content_type(scan);
	if (length == 0) {
		end_header(scan);
		return;
	}
	value = content_type(line, length);
	if (!value) return;
	scan->is_content_type = true;
	scan->has_boundary = false;
	mime_field_start(&scan->field, MIME_BY_RULE);
	read_content_type(scan, value, length - (size_t)(value - line));
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
