/* A message as readers of mail take it apart (RFC 2045, 2046): the names of what
   is attached, and how each part begins. It goes into parts of parts and attached
   messages, also into those that are encoded as a whole, and into uuencoded files
   in text. Where readers differ, it takes all sides, so that nobody hides a file
   from it by writing what only some understand: names may be reported that no
   reader shows, but hardly for a message that is as it should be.
   The surprise: this is a loop over lines, and not a tree. What counts at any
   time are the boundaries that may come; an encoded part is a second message that
   runs through the same loop a layer deeper.
   Memory is the struct, and a few frames for each layer, whatever comes.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H

#include <stdbool.h>
#include <stddef.h>

#include "mail/mime_boundaries.h"
#include "mail/mime_decode.h"
#include "mail/mime_field.h"
#include "mail/mime_name.h"

enum {
	MIME_LAYERS = 6,  /* encoded in encoded; more is `is_too_deep` */
	MIME_START = 192, /* bytes of a part that are shown */
	MIME_HEAD = 1024, /* of a line: its rest is no boundary or name */
};

/* What is told of a message; any of them may be NULL. */
struct mime_observer {
	/* A file is attached by that name; one file may have several. It is as
	   mime_name_decode leaves it, and never empty. */
	void (*name)(void *context, const char *name, size_t length);
	/* A part, decoded, begins with these bytes, empty lines left out: all up
	   to MIME_START. What is encoded is shown undecoded, too. */
	void (*start)(void *context, const char *bytes, size_t length);
	void *context;
};

enum mime_field_kind {
	MIME_NO_FIELD,
	MIME_TYPE,
	MIME_DISPOSITION,
	MIME_TRANSFER_ENCODING,
	MIME_NAME_ALONE, /* which is all that the field has */
};

/* What the header at hand has said so far; all of what it says twice. */
struct mime_kind {
	bool is_multipart, is_message, is_text, is_other;
	bool has_field;  /* any of those that matter */
	bool is_implied; /* that of a message which no type spoke of */
	bool is_base64, is_quoted_printable, is_uuencode;
};

struct mime_layer {
	/* The line. */
	bool in_line;    /* behind its head */
	bool is_skipped; /* the rest of it is nothing */
	bool at_cr;      /* which may be part of its end */
	bool is_empty;   /* it had nothing before that */
	bool behind_cr;  /* it began behind a CR that no LF followed */
	size_t head_length;
	char head[MIME_HEAD];

	/* The header: a sure one, or one behind what may be a boundary. */
	bool in_header;
	unsigned doubtful_group; /* of that boundary; 0: it is a sure one */
	struct mime_kind kind;
	enum mime_field_kind field;
	struct mime_reading_of_field {
		struct mime_field field;
		struct mime_name_pieces pieces;
	} readings[2];

	struct mime_boundaries boundaries;

	/* The body. */
	bool is_text;
	bool is_starting; /* `start` is being filled */
	size_t start_length;
	char start[MIME_START];
	/* It is decoded into the next layer. */
	struct mime_decoder decoder;
	enum {
		MIME_NO_FILE,
		MIME_FILE_NAMED,
		MIME_IN_FILE
	} file; /* uuencoded */
	bool file_is_base64;
	size_t file_name_length;
	char file_name[MIME_NAME];
};

struct mime_walk {
	const struct mime_observer *observer;
	bool is_too_deep; /* there is more, in more layers */
	/* There is another name, in more pieces than are put together. */
	bool has_cut_name;
	/* RFC 2046 section 5.1.5: a part without a type is a message, then. */
	bool has_digest;
	struct mime_layer layers[MIME_LAYERS];
};

/* The observer has to stay. */
void mime_start(struct mime_walk *, const struct mime_observer *);

/* The next bytes of a message with LF line ends, however it is cut. */
void mime_read(struct mime_walk *, const char *bytes, size_t length);

/* The message is over. */
void mime_end(struct mime_walk *);

#endif
