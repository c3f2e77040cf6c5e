/* The conversation with a client that is not let in: greeted, and refused at
   every command that matters, so that its queue gets the reason and not just a
   cut connection. A surprise: a command's word ends at the first space only, so
   "HELO\t", "QUIT\r\r\n" and a word with a NUL in it are unknown ones, which
   get the refusal as ucspi-tcp's rblsmtpd gives it.

   A line ends at LF or CRLF and may be of any length; it gets one reply, and no
   more of it is kept than REFUSAL_LINE bytes. Replies to pipelined commands go
   out together, before the next wait. One deadline is for all of it, reading
   and writing; nothing the client does or leaves makes it longer.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_REFUSAL_H
#define MAIL_REFUSAL_H

#include <stdbool.h>
#include <stddef.h>

/* What is shown of a line to a log, with its NUL; room for MAIL with the
   longest sender (RFC 5321 section 4.5.3.1) and some parameters. */
enum { REFUSAL_LINE = 512 };

/* So many lines of one client's go on a log; of one that goes on and on, the
   others are counted. */
enum { REFUSAL_LOGGED = 100 };

enum refusal_event {
	REFUSAL_HEARD,  /* a line of the client's */
	REFUSAL_SAID,   /* a line for the client */
	REFUSAL_HANGUP, /* too many recipients: next is what is said to that */
};

/* `line` is printable, without its end, cut (and then ends in "...") at
   REFUSAL_LINE; it is gone when the callback returns. */
typedef void refusal_callback(void *context, enum refusal_event,
			      const char *line);

/* Texts are whole and printable, without a line end. */
struct refusal {
	const char *greeting;  /* stands behind "220 ", "250 " and "221 " */
	const char *text;      /* the refusal with its code: "451 TEXT" */
	unsigned long seconds; /* for all; 0: the refusal is all that is said */
	const char *last_word; /* when the time is over; NULL: nothing */
	bool noop_is_welcome;  /* NOOP gets a 250 too, not the refusal */

	unsigned long recipients; /* hangs up at this RCPT; 0: at none */
	const char *too_many;     /* what is said then */

	refusal_callback *callback; /* or NULL */
	void *context;
};

enum refusal_end {
	REFUSAL_QUIT,
	REFUSAL_CLOSED, /* by the client, in whatever way */
	REFUSAL_TIMEOUT,
	REFUSAL_TOO_MANY_RECIPIENTS,
	REFUSAL_TOLD, /* `seconds` is 0 */
};

/* Holds the conversation on these descriptors, sockets or pipes, and says how
   it ended. Ignores SIGPIPE from then on. The connection is to be closed next,
   mostly by exit; nothing unread is left there that would take away the last
   reply (see stream_drain). */
enum refusal_end refusal_hold(const struct refusal *, int in, int out);

/* The parts, for who has the bytes already. The client's line; start with {0}. */
struct refusal_line {
	char text[REFUSAL_LINE];
	size_t length;
	bool is_cut;
	bool is_whole;
};

/* Takes bytes from `*at` on, not beyond the line's end; after a whole line,
   those of the next. True: the line is whole, and `text` is what the callback
   gets. */
bool refusal_line_take(struct refusal_line *, const char **at, const char *end);

enum refusal_answer {
	REFUSAL_ANSWER_WELCOME,
	REFUSAL_ANSWER_REFUSE,
	REFUSAL_ANSWER_RECIPIENT, /* refused too, and counted */
	REFUSAL_ANSWER_FAREWELL,
};

enum refusal_answer refusal_answer(const struct refusal *,
				   const struct refusal_line *);

#endif
