/* BDAT's argument and the text behind it (RFC 3030), from its form on the wire
   into the form of the queue: CRLF becomes LF, also where a chunk ends between
   the two. The size says where the text ends, so there are no dots to add or
   take away, and a lone LF or CR is a byte like any other: this is how clients
   send a message that has some and that DATA would not take.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_SMTP_CHUNK_H
#define MAIL_SMTP_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a chunk makes may be longer than the chunk by a CR that waited for its
   LF; the end of a message may add that and an LF. */
enum { SMTP_CHUNK_GROWTH = 1, SMTP_CHUNK_END_GROWTH = 2 };

struct smtp_chunk_size {
	uint64_t bytes;
	bool is_last;
};

/* "86", "86 LAST": 0; -1 when it is anything else, or too large for 64 bits, so
   that nobody knows where the next command begins. */
int smtp_chunk_parse(const char *argument, struct smtp_chunk_size *);

/* Kept between the chunks of one message; zeros at first. */
struct smtp_chunk {
	bool cr_waits;
	bool in_line; /* the last byte written was no LF */
};

/* Decodes `length` bytes at `from` into `to`, which has room for
   SMTP_CHUNK_GROWTH more and may overlap when it begins that many bytes, or
   more, before `from`. Gives the bytes written. */
size_t smtp_chunk_decode(struct smtp_chunk *, const char *from, size_t length,
			 char *to);

/* Behind the last chunk: writes SMTP_CHUNK_END_GROWTH bytes at most, a CR that
   has waited in vain, and the LF of a last line that has none: qmail-remote
   bounces a message that ends in the middle of a line. */
size_t smtp_chunk_end(const struct smtp_chunk *, char *to);

#endif
