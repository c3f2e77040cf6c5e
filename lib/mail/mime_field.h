/* Content-Type and its relatives (RFC 2045, 2183), read as readers of mail do:
   VALUE ; NAME = VALUE ; ... with blanks, comments and mistakes anywhere.
   The surprise is that there are two readings, since readers of mail differ, and
   who hides something writes what they differ in. A parameter that either sees
   counts:
     MIME_BY_RULE       quotes, backslashes and comments mean what they should
     MIME_BY_SEMICOLON  every ';' ends a parameter, quotes are left out, and
                        nothing else means anything; a fold is not even a blank
   Nothing is stored but one parameter, so a field may have any length, and may
   come in any pieces.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_MIME_FIELD_H
#define MAIL_MIME_FIELD_H

#include <stdbool.h>
#include <stddef.h>

enum {
	MIME_FIELD_NAME =
		24, /* "filename*999*", and no name that counts is longer */
	/* Of a longer value, the first quarter and the end are left. */
	MIME_FIELD_VALUE = 1024,
};

enum mime_reading { MIME_BY_RULE, MIME_BY_SEMICOLON };

struct mime_field {
	enum mime_reading reading;
	bool in_name, in_quotes, is_escaped, is_folded, was_quoted;
	bool is_given; /* the parameter that we are in; the next one begins */
	/* A reader may end the value where it has a blank, a quote or a NUL for
	   the first time. */
	bool seen_blank, seen_quote, seen_nul;
	unsigned comments; /* one in the other */
	size_t raw_length; /* of the value, with blanks at its end */

	/* What mime_field_read has found. */
	char name
		[MIME_FIELD_NAME]; /* small letters; "": before the first ';' */
	size_t name_length;
	const char *value;
	size_t value_length;
	bool is_whole, is_cut;
	char bytes[MIME_FIELD_VALUE];
};

void mime_field_start(struct mime_field *, enum mime_reading);

/* Reads what is behind the field's colon; a fold is one '\n' and then the blanks.
   True: there is a parameter; with `is_whole` unset, as some read it who end it
   early. Call again until it says false: all has been read then. */
bool mime_field_read(struct mime_field *, const char **at, const char *end);

/* The field is over: true when there is a last parameter. */
bool mime_field_end(struct mime_field *);

/* The value is the word, or begins with it and a mark: "message/rfc822" is of
   the kind "message". In any case of ASCII letters. */
bool mime_field_is(const struct mime_field *, const char *word);

#endif
