/* Follows an SMTP conversation from outside, byte for byte as it passes, to
   tell which bytes are commands, which are a secret (what AUTH carries, RFC
   4954) and which are a message (DATA, RFC 5321; BDAT, RFC 3030). Nothing is
   kept but a few counters. Where two readings are possible, the one that hides
   more is taken.

   AUTH, DATA and STARTTLS end a group of pipelined commands (RFC 2920 section
   3.1): what a client sends behind them means one thing or another, depending
   on the reply. So the listener asks conversation_is_waiting and lets no client
   byte pass until the reply has; a server that says nothing is overruled with
   conversation_stop_waiting.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_CONVERSATION_H
#define MAIL_CONVERSATION_H

#include <stdbool.h>
#include <stddef.h>

enum conversation_part {
	CONVERSATION_COMMANDS,
	CONVERSATION_ANSWER,    /* a line that answers a 334 */
	CONVERSATION_BODY,      /* what follows a 354 */
	CONVERSATION_CHUNK,     /* the bytes that BDAT announced */
	CONVERSATION_ENCRYPTED, /* STARTTLS was granted */
};

enum conversation_question {
	ASKED_NOTHING,
	ASKED_AUTH,
	ASKED_DATA,
	ASKED_STARTTLS,
};

struct conversation {
	enum conversation_part part; /* of the client's next byte */
	unsigned long replies_owed;
	enum conversation_question asked;
	bool overruled; /* no longer waiting for the answer to `asked` */

	/* The client's command line so far. */
	enum {
		LINE_VERB,
		LINE_MECHANISM,
		LINE_SIZE,
		LINE_REST,
		LINE_SECRET
	} line;
	bool line_begun;
	char verb[sizeof "STARTTLS"];
	size_t verb_length;
	size_t mechanism_length;
	bool size_ended;
	unsigned long chunk_left; /* in LINE_SIZE: the number so far */

	/* The body's line so far, for the lone dot. */
	char body_line[2];
	size_t body_line_length;
	char body_last;
	bool body_line_follows_crlf;
	bool body_had_loose_dot; /* a lone dot, but not between two CRLF */

	/* The server's line so far. */
	char code[4];
	size_t code_length;
};

/* A stretch of the client's bytes, all in one line and of one part. */
struct conversation_piece {
	size_t length;
	size_t shown; /* so many at its front are no secret */
	enum conversation_part part;
};

/* `replies_owed` is 1 when the server speaks first, else 0. */
void conversation_start(struct conversation *, unsigned long replies_owed);

/* Takes the client's next bytes, at least one of the `length` (> 0) and no more
   than one line. */
struct conversation_piece conversation_client(struct conversation *,
					      const char *bytes, size_t length);

/* Takes the server's next bytes; to be called before the client sees them. */
void conversation_server(struct conversation *, const char *bytes,
			 size_t length);

bool conversation_is_waiting(const struct conversation *);
void conversation_stop_waiting(struct conversation *);

/* Is the client's next byte one of a message? */
bool conversation_in_message(const struct conversation *);

#endif
