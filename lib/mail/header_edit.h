/* Changes to a message's header: fields are removed, added, given new values,
   one change after the other, and what comes out is a new top of the message
   and how much of the old one it takes the place of, which is what
   stage_message_replace_top wants: the body is never read.
   The header ends at the first empty line, or one of a single CR. A line in it
   that is no field stays where it is. Such a line on top means that the message
   has no header at all: what is added gets an empty line below it. A "From "
   line of an mbox stays on top.
   Names are compared in any case of letters. What is added is one field,
   whatever its value holds: CRs go, a line end that no blank follows is followed
   by a tab, control characters become '?', and no line is longer than RFC 5322
   section 2.1.1 allows.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_HEADER_EDIT_H
#define MAIL_HEADER_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "mail/stage_message.h"

enum {
	HEADER_EDIT_LIMIT = 256 * 1024, /* bytes of a header */
	HEADER_NAME_LIMIT = 127,        /* bytes of a name that is added */
	HEADER_LINE_LIMIT = 998,        /* without the line end */
};

/* Start with zeros. */
struct header_edit {
	struct str text;  /* the header as it is now, without the empty line */
	size_t old;       /* how long it was */
	size_t front;     /* of that, the mbox line on top */
	size_t untouched; /* as many bytes at the end of both are the same */
	bool is_bare;     /* the message begins with its body */
	bool is_changed;
};

enum header_edit_state {
	HEADER_EDIT_READY,
	HEADER_EDIT_TOO_LONG, /* the header */
	HEADER_EDIT_FAILED,   /* errno */
};

/* Reads the header. */
enum header_edit_state header_edit_take(struct header_edit *,
					const struct stage_message *);

/* Can a field that is added have this name? */
bool header_edit_is_name(const char *name);

/* Fields are counted from the top, from 1 on, or from the end, from -1 on. */
enum { HEADER_ALL = 0 };

/* Removes the field of that number among those of the name, or all of them,
   with the lines that they are folded to. A name that ends in '*' is the
   beginning of names. How many there were. */
size_t header_edit_remove(struct header_edit *, const char *name, long number);

enum { HEADER_TOP = 0, HEADER_END = -1 };

/* Adds a field: on top, below the field of that number (at the end when there
   are fewer), or, for a negative one, so that it has this place counted from the
   end. False, and nothing is done, when the name cannot be one. */
bool header_edit_add(struct header_edit *, long place, const char *name,
		     const char *value, size_t length);

/* The first field of the name gets the value and keeps its place, the others
   are removed; when there is none it is added at the end. */
bool header_edit_replace(struct header_edit *, const char *name,
			 const char *value, size_t length);

/* The value of a field as it stands there, with its folds and without the blanks
   around it; NULL when there are not so many. It stays until the next change. */
const char *header_edit_value(const struct header_edit *, const char *name,
			      long number, size_t *length);

/* True when there was a change: `text` takes the place of the message's first
   `cut` bytes. */
bool header_edit_finish(struct header_edit *, size_t *cut);

#endif
