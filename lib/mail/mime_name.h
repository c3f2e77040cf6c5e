/* The names of attached files, as Windows would have them in the end: decoded
   (RFC 2231, and the words of RFC 2047, which the rules do not allow there but
   readers of mail take), in one line, without what is not seen: control codes,
   and the marks of Unicode that have no width or turn the direction of writing.
   Wide letters of East Asia become those of ASCII; what Windows leaves out at the
   end (dots, blanks, ":$DATA") is gone.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_MIME_NAME_H
#define MAIL_MIME_NAME_H

#include <stdbool.h>
#include <stddef.h>

enum {
	MIME_NAME = 1024, /* bytes; of a longer name the end is left */
	/* No program cuts a name into so many: what those give is a name's end, or
	   its beginning, and each of them may be one to some reader. */
	MIME_NAME_PIECES = 64,
	MIME_NAME_ROOM = 4096,
};

/* Writes the name, never more than MIME_NAME bytes, and returns its length. It is
   ASCII or what the mail has: UTF-8 as a rule. */
size_t mime_name_decode(char *name, const char *value, size_t length);

/* Decodes charset'language'%xx (RFC 2231 section 4) in place; a charset that is
   not there is none. Returns the new length. */
size_t mime_name_decode_percent(char *value, size_t length);

/* A name in pieces, "filename*0=...; filename*1*=..." in any order, of two kinds
   (say filename and name) at once. Of more pieces than there is room for, the
   last ones are left. */
struct mime_name_pieces {
	struct mime_name_piece {
		unsigned short kind, number, at, length;
	} pieces[MIME_NAME_PIECES];
	size_t count, used;
	bool is_encoded; /* one of them at least */
	bool is_cut;     /* some are missing */
	size_t next;     /* for mime_name_join */
	char bytes[MIME_NAME_ROOM];
};

void mime_name_start(struct mime_name_pieces *);
void mime_name_add(struct mime_name_pieces *, unsigned kind, unsigned number,
		   bool is_encoded, const char *value, size_t length);

/* The next name that they make, not decoded yet; false: that was all, and they
   are forgotten. Where a number is missing or there twice, a reader may stop, so
   there may be several: `value`, with room for MIME_NAME bytes, and its length
   must stay between the calls. */
bool mime_name_join(struct mime_name_pieces *, char *value, size_t *length);

#endif
