/* The text behind DATA, from its form on the wire into the form of the queue:
   CRLF becomes LF, a line's leading dot goes, CRLF.CRLF ends it (RFC 5321
   sections 2.3.8, 4.1.1.4, 4.5.2). Nothing else ends it: a server that also
   takes LF.LF or LF.CRLF lets a stranger write a second message into the text
   of a first one ("SMTP smuggling"). A lone CR is a byte like any other.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_SMTP_DATA_H
#define MAIL_SMTP_DATA_H

#include <stddef.h>

/* The output may need this many bytes more than the input, when a CR that
   waited for its LF turns out to be text. */
enum { SMTP_DATA_GROWTH = 2 };

/* Where the text is; the beginning counts as the beginning of a line. */
enum smtp_data_place {
	SMTP_DATA_LINE_START,
	SMTP_DATA_TEXT,
	SMTP_DATA_CR,
	SMTP_DATA_DOT,
	SMTP_DATA_DOT_CR,
};

enum smtp_data_state {
	SMTP_DATA_MORE,
	SMTP_DATA_END,
	SMTP_DATA_BARE_LF, /* an LF without its CR; decoding stops there */
};

/* Decodes `*length` bytes at `from` into `to`, which has room for
   SMTP_DATA_GROWTH more and may overlap when it begins that many bytes, or
   more, before `from`. `*length` becomes the bytes used (at the end: up to and
   with the last LF), `*made` the bytes written. `*place` is kept between the
   calls for one message and is SMTP_DATA_LINE_START at first. */
enum smtp_data_state smtp_data_decode(enum smtp_data_place *place,
				      const char *from, size_t *length,
				      char *to, size_t *made);

#endif
