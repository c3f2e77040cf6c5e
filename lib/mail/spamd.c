/* SPDX-License-Identifier: ISC */
#include "mail/spamd.h"

#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "mail/spam_score.h"

static const char protocol[] = "SPAMD/";

struct text {
	const char *at, *end;
};

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

/* The next line, without its end; false where none ends. */
static bool take_line(struct text *rest, struct text *line)
{
	const char *end =
		memchr(rest->at, '\n', (size_t)(rest->end - rest->at));

	if (!end) return false;
	*line = (struct text){ rest->at, end };
	if (line->end > line->at && line->end[-1] == '\r') line->end--;
	rest->at = end + 1;
	return true;
}

/* ---- the answer ---- */

static void skip_blanks(struct text *rest)
{
	while (rest->at < rest->end && is_blank(*rest->at)) rest->at++;
}

static bool skip_mark(struct text *rest, char mark)
{
	skip_blanks(rest);
	if (rest->at == rest->end || *rest->at != mark) return false;
	rest->at++;
	skip_blanks(rest);
	return true;
}

/* "SPAMD/1.1 0 EX_OK": the number is an exit code of sysexits.h. */
static bool is_good_status(struct text line)
{
	if ((size_t)(line.end - line.at) < strlen(protocol) ||
	    memcmp(line.at, protocol, strlen(protocol)) != 0)
		return false;
	while (line.at < line.end && !is_blank(*line.at)) line.at++;
	skip_blanks(&line);
	if (line.at == line.end || *line.at != '0') return false;
	line.at++;
	return line.at == line.end || is_blank(*line.at);
}

static bool take_score(struct text *rest, long *score)
{
	const char *behind = spam_score_take(rest->at, rest->end, score);

	if (behind) rest->at = behind;
	return behind;
}

/* "True ; 1005.7 / 5.0"; it is Yes and No in some versions. */
static bool take_verdict(struct text value, struct spamd_reply *reply)
{
	const char *word = value.at;
	size_t length;

	while (value.at < value.end && !is_blank(*value.at) && *value.at != ';')
		value.at++;
	length = (size_t)(value.at - word);
	reply->is_spam = parse_same_word(word, length, "True") ||
			 parse_same_word(word, length, "Yes");
	if (!reply->is_spam && !parse_same_word(word, length, "False") &&
	    !parse_same_word(word, length, "No"))
		return false;
	if (!skip_mark(&value, ';') || !take_score(&value, &reply->score) ||
	    !skip_mark(&value, '/') || !take_score(&value, &reply->required))
		return false;
	skip_blanks(&value);
	return value.at == value.end;
}

struct fields {
	unsigned verdicts, lengths;
	long length;
};

static bool take_length(struct text value, struct fields *fields)
{
	const char *begin = value.at;

	for (fields->length = 0;
	     value.at < value.end && *value.at >= '0' && *value.at <= '9' &&
	     fields->length <= SPAMD_BODY_LIMIT;
	     value.at++)
		fields->length = fields->length * 10 + (*value.at - '0');
	skip_blanks(&value);
	return value.at > begin && value.at == value.end &&
	       fields->length <= SPAMD_BODY_LIMIT;
}

/* A field that we do not know is no error. */
static bool take_field(struct text line, struct fields *fields,
		       struct spamd_reply *reply)
{
	const char *colon = memchr(line.at, ':', (size_t)(line.end - line.at));
	struct text value;
	size_t length;

	if (!colon) return false;
	length = (size_t)(colon - line.at);
	value = (struct text){ colon + 1, line.end };
	skip_blanks(&value);
	if (parse_same_word(line.at, length, "Spam"))
		return fields->verdicts++ == 0 && take_verdict(value, reply);
	if (parse_same_word(line.at, length, "Content-length"))
		return fields->lengths++ == 0 && take_length(value, fields);
	return true;
}

static void keep_status(struct spamd_reply *reply, const struct text *line)
{
	printable_bytes(reply->text, sizeof reply->text, line->at,
			(size_t)(line->end - line->at));
}

static enum spamd_state take_body(const struct text *rest,
				  const struct fields *fields,
				  struct spamd_reply *reply)
{
	size_t there = (size_t)(rest->end - rest->at);

	if (fields->verdicts == 0) return SPAMD_FAILED;
	if (fields->lengths == 0) return SPAMD_ANSWERED;
	if (there < (size_t)fields->length) return SPAMD_MORE;
	reply->body = rest->at;
	reply->body_length = (size_t)fields->length;
	return SPAMD_ANSWERED;
}

enum spamd_state spamd_parse(const char *bytes, size_t length,
			     struct spamd_reply *reply)
{
	struct text all = { bytes, bytes + length }, rest, line;
	struct fields fields = { 0 };

	*reply = (struct spamd_reply){ 0 };
	/* An empty line that comes later is not seen, however much is there. */
	if (length > SPAMD_HEAD_LIMIT) all.end = bytes + SPAMD_HEAD_LIMIT;
	rest = all;
	if (!take_line(&rest, &line)) {
		keep_status(reply, &all);
		return length < SPAMD_HEAD_LIMIT ? SPAMD_MORE : SPAMD_FAILED;
	}
	keep_status(reply, &line);
	if (!is_good_status(line)) return SPAMD_FAILED;
	while (take_line(&rest, &line)) {
		if (line.at == line.end) {
			rest.end = bytes + length;
			return take_body(&rest, &fields, reply);
		}
		if (!take_field(line, &fields, reply)) return SPAMD_FAILED;
	}
	return length < SPAMD_HEAD_LIMIT ? SPAMD_MORE : SPAMD_FAILED;
}

/* ---- the header in it ---- */

/* A field from its name to before its last line's end. A line without an end is
   none: it was cut. */
static bool take_folded(struct text *rest, struct text *field)
{
	struct text line;

	if (!take_line(rest, field) || field->at == field->end) return false;
	while (rest->at < rest->end && is_blank(*rest->at) &&
	       take_line(rest, &line))
		field->end = line.end;
	return true;
}

/* The length of the name, which is of printable characters (RFC 5322 section 2.2),
   right before a colon; 0 when it is none. */
static size_t name_length(const struct text *field)
{
	const char *at = field->at;

	while (at<field->end && * at> ' ' && *at < 127 && *at != ':') at++;
	return at < field->end && *at == ':' ? (size_t)(at - field->at) : 0;
}

bool spamd_next_field(const char **at, const char *end,
		      struct spamd_field *field)
{
	struct text rest = { *at, end }, whole;
	bool is_one = false;

	while (!is_one && take_folded(&rest, &whole)) {
		field->name = whole.at;
		field->name_length = name_length(&whole);
		is_one = field->name_length > 0;
	}
	*at = rest.at;
	if (!is_one) return false;
	whole.at += field->name_length + 1;
	skip_blanks(&whole);
	field->value = whole.at;
	field->length = (size_t)(whole.end - whole.at);
	return true;
}
