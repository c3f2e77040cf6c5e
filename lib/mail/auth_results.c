/* SPDX-License-Identifier: ISC */
#include "mail/auth_results.h"

#include <string.h>
#include <strings.h>

#include "mail/header.h"
#include "mail/idn.h"

static const char field_name[] = "authentication-results";

enum { NAME_LENGTH = sizeof field_name - 1, LONGEST_ID = 255 };

/* What RFC 2045 keeps out of a token, and so out of an id without quotes. */
static const char specials[] = "()<>@,;:\\\"/[]?=";

/* Reading the name at the beginning of a field. */

struct cursor {
	const char *at;
	const char *end;
};

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static bool is_token(char byte)
{
	return (unsigned char)byte > ' ' && byte != 127 &&
	       !strchr(specials, byte);
}

static void skip_blanks(struct cursor *c)
{
	while (c->at < c->end && is_blank(*c->at)) c->at++;
}

struct name {
	char text[LONGEST_ID + 2]; /* with a final dot */
	size_t length;             /* of which only what fits is in the text */
};

static void add_to_name(struct name *name, char byte)
{
	if (name->length < sizeof name->text - 1) {
		name->text[name->length] = byte;
		name->text[name->length + 1] = '\0';
	}
	name->length++;
}

/* Up to its second quote, or false. */
static bool read_quoted(struct cursor *c, struct name *name)
{
	for (c->at++; c->at < c->end && *c->at != '"'; c->at++) {
		if (*c->at == '\\' && c->at + 1 < c->end) c->at++;
		/* A fold is not part of what it is in. */
		if (*c->at != '\r' && *c->at != '\n') add_to_name(name, *c->at);
	}
	if (c->at == c->end) return false;
	c->at++;
	return true;
}

static bool read_name(struct cursor *c, struct name *name)
{
	if (c->at < c->end && *c->at == '"') return read_quoted(c, name);
	while (c->at < c->end && is_token(*c->at)) add_to_name(name, *c->at++);
	return name->length > 0;
}

static void drop_final_dot(char *name)
{
	size_t length = strlen(name);

	if (length > 0 && name[length - 1] == '.') name[length - 1] = '\0';
}

static bool is_id(struct name *name, const char *id)
{
	char ascii[DNS_NAME], own[DNS_NAME];

	if (name->length >= sizeof name->text) return false;
	if (strcasecmp(name->text, id) == 0) return true;
	/* No name of a host, in whatever form, has more. */
	if (idn_to_ascii(name->text, ascii) < 0 || idn_to_ascii(id, own) < 0)
		return false;
	drop_final_dot(ascii);
	drop_final_dot(own);
	return strcasecmp(ascii, own) == 0;
}

enum field_end { FIELD_ENDS, FIELD_GOES_ON };

/* Whether the field whose first bytes are held must not be believed. */
static bool is_to_go(const struct auth_results_filter *filter,
		     enum field_end field_end)
{
	struct cursor c = { filter->held + NAME_LENGTH,
			    filter->held + filter->count };
	struct name name = { .text = "" };

	skip_blanks(&c);
	if (c.at == c.end) return field_end == FIELD_GOES_ON;
	if (*c.at++ != ':') return false;
	if (!header_skip_comments(&c.at, c.end) || !read_name(&c, &name))
		return true;
	if (is_id(&name, filter->id) || !header_skip_comments(&c.at, c.end))
		return true;
	/* The version of the field. */
	while (c.at < c.end && *c.at >= '0' && *c.at <= '9') c.at++;
	if (!header_skip_comments(&c.at, c.end)) return true;
	return c.at < c.end ? *c.at != ';' : field_end == FIELD_GOES_ON;
}

/* The filter. Each step takes some bytes and gives where the rest begins. */

static bool is_line_end(char byte)
{
	return byte == '\n' || byte == '\r';
}

/* Behind the end of the line, or the end of the bytes. */
static const char *rest_of_line(const char *at, const char *end)
{
	size_t length = (size_t)(end - at);
	const char *lf = memchr(at, '\n', length), *cr;

	if (lf) end = lf + 1;
	cr = memchr(at, '\r', (size_t)(end - at));
	return cr ? cr + 1 : end;
}

static void write_held(struct auth_results_filter *filter)
{
	filter->write(filter->context, filter->held, filter->count);
	filter->count = 0;
}

static const char *begin_line(struct auth_results_filter *filter,
			      const char *at)
{
	bool is_behind_cr = filter->is_behind_cr;

	filter->is_behind_cr = false;
	if (*at == '\n') {
		filter->write(filter->context, at, 1);
		if (!is_behind_cr) filter->place = AUTH_RESULTS_BODY;
		return at + 1;
	}
	filter->began_behind_cr = is_behind_cr;
	filter->place = (*at | 32) == field_name[0] ? AUTH_RESULTS_NAME
						    : AUTH_RESULTS_PASSING;
	return at;
}

static const char *read_field_name(struct auth_results_filter *filter,
				   const char *at)
{
	if (filter->count < NAME_LENGTH &&
	    strncasecmp(at, &field_name[filter->count], 1) == 0) {
		filter->held[filter->count++] = *at;
		return at + 1;
	}
	if (filter->count == NAME_LENGTH && (*at == ':' || is_blank(*at))) {
		filter->place = AUTH_RESULTS_HOLDING;
		return at;
	}
	write_held(filter);
	filter->place = AUTH_RESULTS_PASSING;
	return at;
}

static const char *pass(struct auth_results_filter *filter, const char *at,
			const char *end)
{
	const char *rest = rest_of_line(at, end);

	filter->write(filter->context, at, (size_t)(rest - at));
	if (is_line_end(rest[-1])) {
		filter->place = AUTH_RESULTS_LINE_START;
		filter->is_behind_cr = rest[-1] == '\r';
	}
	return rest;
}

/* Its fate is that of the bytes that follow. */
static void decide(struct auth_results_filter *filter, enum field_end field_end)
{
	bool ends = field_end == FIELD_ENDS;

	if (is_to_go(filter, field_end)) {
		filter->count = 0;
		filter->place = ends ? AUTH_RESULTS_DROPPING_LINE_START
				     : AUTH_RESULTS_DROPPING;
	} else {
		write_held(filter);
		filter->place =
			ends ? AUTH_RESULTS_LINE_START : AUTH_RESULTS_PASSING;
	}
}

static const char *hold(struct auth_results_filter *filter, const char *at,
			const char *end)
{
	/* The last byte is for the LF behind a CR. */
	size_t room = filter->count < AUTH_RESULTS_HELD
			      ? AUTH_RESULTS_HELD - filter->count
			      : 0;
	const char *rest;
	size_t length;

	if (room == 0) {
		decide(filter, FIELD_GOES_ON);
		return at;
	}
	rest = rest_of_line(at, (size_t)(end - at) > room ? at + room : end);
	length = (size_t)(rest - at);
	memcpy(filter->held + filter->count, at, length);
	filter->count += length;
	if (is_line_end(rest[-1])) {
		filter->place = AUTH_RESULTS_HOLDING_LINE_START;
		filter->is_behind_cr = rest[-1] == '\r';
	}
	return rest;
}

static const char *begin_line_held(struct auth_results_filter *filter,
				   const char *at)
{
	if (*at == '\n' && filter->is_behind_cr) {
		filter->held[filter->count++] = *at;
		filter->is_behind_cr = false;
		return at + 1;
	}
	if (*at == ' ' || *at == '\t') filter->place = AUTH_RESULTS_HOLDING;
	else decide(filter, FIELD_ENDS);
	return at;
}

static const char *drop(struct auth_results_filter *filter, const char *at,
			const char *end)
{
	const char *rest = rest_of_line(at, end);

	if (is_line_end(rest[-1])) {
		filter->place = AUTH_RESULTS_DROPPING_LINE_START;
		filter->is_behind_cr = rest[-1] == '\r';
	}
	return rest;
}

/* A field that began within a line may not take the end of that line with it:
   what follows would become part of the header. */
static void end_dropped(struct auth_results_filter *filter)
{
	if (filter->began_behind_cr && !filter->is_behind_cr)
		filter->write(filter->context, "\n", 1);
	else filter->is_behind_cr = filter->began_behind_cr;
	filter->place = AUTH_RESULTS_LINE_START;
}

static const char *begin_line_dropped(struct auth_results_filter *filter,
				      const char *at)
{
	if (*at == '\n' && filter->is_behind_cr) {
		filter->is_behind_cr = false;
		return at + 1;
	}
	if (*at == ' ' || *at == '\t') filter->place = AUTH_RESULTS_DROPPING;
	else end_dropped(filter);
	return at;
}

static const char *step(struct auth_results_filter *filter, const char *at,
			const char *end)
{
	switch (filter->place) {
	case AUTH_RESULTS_LINE_START: return begin_line(filter, at);
	case AUTH_RESULTS_NAME: return read_field_name(filter, at);
	case AUTH_RESULTS_PASSING: return pass(filter, at, end);
	case AUTH_RESULTS_HOLDING: return hold(filter, at, end);
	case AUTH_RESULTS_HOLDING_LINE_START:
		return begin_line_held(filter, at);
	case AUTH_RESULTS_DROPPING: return drop(filter, at, end);
	case AUTH_RESULTS_DROPPING_LINE_START:
		return begin_line_dropped(filter, at);
	case AUTH_RESULTS_BODY: break;
	}
	filter->write(filter->context, at, (size_t)(end - at));
	return end;
}

void auth_results_filter(struct auth_results_filter *filter, const char *bytes,
			 size_t length)
{
	const char *end = bytes + length;

	while (bytes < end) bytes = step(filter, bytes, end);
}

void auth_results_filter_end(struct auth_results_filter *filter)
{
	if (filter->place == AUTH_RESULTS_NAME) write_held(filter);
	if (filter->place == AUTH_RESULTS_HOLDING ||
	    filter->place == AUTH_RESULTS_HOLDING_LINE_START)
		decide(filter, FIELD_ENDS);
	if (filter->place == AUTH_RESULTS_DROPPING_LINE_START)
		end_dropped(filter);
	filter->place = AUTH_RESULTS_BODY;
}

/* Writing. */

static bool is_dotted(const char *text, size_t length)
{
	bool is_dot = true;

	for (size_t i = 0; i < length; i++) {
		if (is_dot && text[i] == '.') return false;
		is_dot = text[i] == '.';
		if (!is_token(text[i]) || (unsigned char)text[i] > 127)
			return false;
	}
	return !is_dot;
}

/* A token, which a domain is, or such a thing with an '@' and a domain. */
static bool is_bare(const char *value)
{
	const char *at = strchr(value, '@');

	if (!at) {
		for (at = value; *at; at++)
			if (!is_token(*at) || (unsigned char)*at > 127)
				return false;
		return at > value;
	}
	if (at > value && !is_dotted(value, (size_t)(at - value))) return false;
	return is_dotted(at + 1, strlen(at + 1));
}

static char shown(char byte, bool is_utf8)
{
	if ((unsigned char)byte < ' ' || byte == 127) return '?';
	return (unsigned char)byte < 128 || is_utf8 ? byte : '?';
}

static void append_value(struct str *to, const char *value, bool may_be_utf8)
{
	bool is_utf8 = may_be_utf8 && idn_is_utf8(value);

	if (is_bare(value)) {
		str_append_text(to, value);
		return;
	}
	str_append_byte(to, '"');
	for (; *value; value++) {
		if (*value == '"' || *value == '\\') str_append_byte(to, '\\');
		str_append_byte(to, shown(*value, is_utf8));
	}
	str_append_byte(to, '"');
}

static void begin_folded_line(struct auth_results *results)
{
	str_append_text(results->header, "\n\t");
	results->line = results->header->length - 1;
}

void auth_results_begin(struct auth_results *results, struct str *header,
			const char *id)
{
	results->header = header;
	results->line = header->length;
	results->has_results = false;
	str_append_text(header, "Authentication-Results: ");
	append_value(header, id, results->may_be_utf8);
}

void auth_results_add(struct auth_results *results, const char *method,
		      const char *result)
{
	str_append_byte(results->header, ';');
	if (results->has_results) begin_folded_line(results);
	else str_append_byte(results->header, ' ');
	results->has_results = true;
	str_append_text(results->header, method);
	str_append_byte(results->header, '=');
	str_append_text(results->header, result);
}

void auth_results_property(struct auth_results *results, const char *name,
			   const char *value)
{
	/* Of the line, besides the value: a blank, '=' and the ';' to come. */
	size_t used = results->header->length - results->line;
	size_t others = strlen(name) + 3;
	struct str text = { 0 };

	append_value(&text, value, results->may_be_utf8);
	if (others + text.length <= AUTH_RESULTS_LINE) {
		if (used + others + text.length > AUTH_RESULTS_LINE)
			begin_folded_line(results);
		else str_append_byte(results->header, ' ');
		str_append_text(results->header, name);
		str_append_byte(results->header, '=');
		str_append(results->header, text.data, text.length);
	}
	str_free(&text);
}

void auth_results_end(struct auth_results *results)
{
	if (!results->has_results) str_append_text(results->header, "; none");
	str_append_byte(results->header, '\n');
}
