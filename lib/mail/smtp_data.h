/* The text behind DATA, from its form on the wire into the form of the queue:
   CRLF becomes LF, a line's leading dot goes, CRLF.CRLF ends it (RFC 5321
   sections 2.3.8, 4.1.1.4, 4.5.2). Nothing else ends it: a server that also
   takes LF.LF or LF.CRLF lets a stranger write a second message into the text
   of a first one ("SMTP smuggling"). A lone CR is a byte like any other.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_SMTP_DATA_H
#define MAIL_SMTP_DATA_H

#include <stdbool.h>
#include <stddef.h>

/* The output may need this many bytes more than the input, when a CR that
   waited for its LF turns out to be text. */
enum { SMTP_DATA_GROWTH = 2 };

/* What an LF without its CR does. Where it ends a line it ends nothing else: a
   dot behind it goes as behind a CRLF (so it does in Postfix), but the lone dot
   of a line that such an LF begins or ends is text, and stays. In the queue that
   line looks like one that came as "..": who sends it on has to stuff both. */
enum smtp_data_bare_lf { SMTP_DATA_BARE_LF_STOPS, SMTP_DATA_BARE_LF_ENDS_LINE };

struct smtp_data {
	enum smtp_data_bare_lf bare_lf;
	/* Where the text is; its beginning is the beginning of a line. */
	enum {
		SMTP_DATA_LINE_START,
		SMTP_DATA_TEXT,
		SMTP_DATA_CR,
		SMTP_DATA_DOT,
		SMTP_DATA_DOT_CR,
	} place;
	bool follows_bare_lf; /* the line */
};

enum smtp_data_state {
	SMTP_DATA_MORE,
	SMTP_DATA_END,
	SMTP_DATA_BARE_LF, /* an LF without its CR; decoding stops there */
};

/* Decodes `*length` bytes at `from` into `to`, which has room for
   SMTP_DATA_GROWTH more and may overlap when it begins that many bytes, or
   more, before `from`. `*length` becomes the bytes used (at the end: up to and
   with the last LF), `*made` the bytes written. The struct is kept between the
   calls for one message and begins as zeros and the setting. */
enum smtp_data_state smtp_data_decode(struct smtp_data *, const char *from,
				      size_t *length, char *to, size_t *made);

/* The other way round: LF becomes CRLF, and a line that begins with a dot gets
   another one. A CR before an LF goes with it; a CR alone becomes a blank: what
   some servers take for the end of a line must not end a line that we have
   looked at. Zeros at first. */
struct smtp_data_encoder {
	bool in_line; /* the next byte does not begin a line */
	bool cr_waits;
};

/* `to` has room for twice the bytes and this many. */
enum { SMTP_DATA_ENCODED = 1, SMTP_DATA_ENCODED_END = 6 };

/* Gives the bytes written. */
size_t smtp_data_encode(struct smtp_data_encoder *, const char *from,
			size_t length, char *to);

/* The end of an unfinished line, then ".CRLF"; the same, with room for
   SMTP_DATA_ENCODED_END. */
size_t smtp_data_encode_end(struct smtp_data_encoder *, char *to);

#endif
