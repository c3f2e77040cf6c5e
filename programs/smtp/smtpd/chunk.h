/* BDAT (RFC 3030): a message in chunks of announced length. The transaction lasts
   to the end of the last one, or RSET, whatever became of the chunks before:
   else what a client sends without waiting could be half of a message.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_CHUNK_H
#define SMTPD_CHUNK_H

#include "mail/smtp_chunk.h"

struct session;

/* Of the transaction; zeros at first. */
struct chunks {
	enum { CHUNKS_NONE, CHUNKS_COME, CHUNKS_FAILED } state;
	struct smtp_chunk text;
};

/* The command, and what is behind it. */
void chunk_run(struct session *, const char *argument);

#endif
