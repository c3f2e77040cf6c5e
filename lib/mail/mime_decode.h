/* The transfer encodings of mail, decoded byte by byte as the most patient reader
   would: what does not belong there is passed over (base64, uuencode) or stays as
   it is (quoted-printable), so nothing is ever an error. base/base64.h is the
   strict one.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_MIME_DECODE_H
#define MAIL_MIME_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mime_encoding {
	MIME_AS_IT_IS,
	MIME_BASE64,           /* RFC 2045 section 6.8 */
	MIME_QUOTED_PRINTABLE, /* section 6.7 */
	MIME_UUENCODE,         /* the lines between "begin" and "end" */
};

/* Start with {.encoding = ...}. */
struct mime_decoder {
	enum mime_encoding encoding;
	uint32_t group;
	unsigned count; /* of letters in the group */
	bool in_line;   /* of uuencode, behind its length */
	unsigned left;  /* bytes that it still has */
	char held[2];   /* '=' and what may belong to it */
};

enum { MIME_DECODE_EXTRA = 2 };

/* Decodes text with LF line ends, however it is cut, into at most MIME_DECODE_EXTRA
   bytes more than it has. The number of bytes written. */
size_t mime_decode(struct mime_decoder *, char *into, const char *text,
		   size_t length);

#endif
