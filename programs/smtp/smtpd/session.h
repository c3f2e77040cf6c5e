/* One client's session: what is known, and how to answer.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_SESSION_H
#define SMTPD_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "auth.h"
#include "base/str.h"
#include "chunk.h"
#include "mail/connection.h"
#include "mail/queue_client.h"
#include "mail/smtp_data.h"
#include "mail/smtp_line.h"
#include "plugins.h"
#include "rbl.h"
#include "reception.h"
#include "results.h"
#include "sender_spf.h"
#include "settings.h"
#include "system/stream.h"
#include "tls.h"

enum {
	/* Every end but that by QUIT, as in qmail. */
	EXIT_NO_QUIT = 1,
	INPUT_BUFFER = 65536,
	OUTPUT_BUFFER = 16384,
	/* A name has 255 bytes at most (RFC 5321 section 4.5.3.1.2). */
	HELO_LIMIT = 255,
	/* About 30,000 recipients; far below what an envelope may hold. */
	RECIPIENTS_LIMIT = 1024 * 1024,
	/* Of several lines: plugins can have the longest ones. */
	REPLY_LINES_LIMIT = 16384,
};

/* From MAIL to the end of the message. */
struct transaction {
	bool open;         /* there is a sender */
	struct str sender; /* as in the envelope */
	/* These are told at RCPT: the lines of the lists that mean them, or
	   NULL, and a reply, or nothing. */
	const char *bad_helo;
	const char *bad_sender;
	struct str spf_refusal;
	bool helo_is_checked;
	bool utf8; /* the parameter SMTPUTF8 */
	struct str envelope;
	size_t recipient_count;
	size_t recipients_tried;
	/* Past rcpthosts. */
	size_t recipients_allowed;
	struct str headers;       /* fields to stand above our Received, ... */
	struct str headers_below; /* ... and below it; each ends in LF */
	struct str spf_result;    /* for Authentication-Results; empty: none */
	struct str spf_identity;  /* "smtp.mailfrom=..." */
	struct str spf_variables; /* of the environment */
	struct chunks chunks;
};

/* A reply in the making, where it gets an enhanced status code. */
struct reply_text {
	size_t length;
	char text[REPLY_LINES_LIMIT];
};

struct session {
	struct settings settings;
	struct connection client;
	struct tls tls;
	struct auth auth;
	struct rbl rbl;
	struct stream_in in;
	struct stream_out out;
	struct smtp_line line;
	struct str helo;
	bool is_extended; /* EHLO */

	struct transaction transaction;
	struct reception reception;
	const char *argument;   /* of the command at hand */
	struct str address;     /* the one in it */
	bool checks_are_off;    /* a plugin has accepted that command */
	struct str refusal;     /* a reply's text that is made at run time */
	size_t strangers;       /* recipients that validrcptto does not know */
	size_t errors;          /* refusals so far */
	size_t junk;            /* commands since the last recipient */
	bool speaks_for_others; /* XCLIENT has been used */
	bool without_codes;     /* greetings have no enhanced status codes */

	/* A page of these is real only when it has been used, and the first
	   one holds what is above as well: an idle session is small. The text of
	   a message is decoded where it lies. */
	char output[OUTPUT_BUFFER];
	char input[SMTP_DATA_GROWTH + INPUT_BUFFER];
	struct queue_client queue;
	/* In most sessions there is no need of these. */
	struct reply_text reply;
	struct plugins plugins;
	struct results results;
	struct reception_search search;
	char plugin_answer[PLUGINS_ANSWER];
};

/* Its mail to other domains is taken, and it is not looked at closely. */
static inline bool client_may_relay(const struct session *session)
{
	return session->settings.relaying == RELAY_THIS_CLIENT;
}

void session_open(struct session *);

/* Replies are collected: they leave before the session waits for the client,
   so the replies to a group of commands go out together (RFC 2920). The first
   two add CRLF; `code` is the enhanced status code for a text that has none. */
void reply(struct session *, const char *text);
void reply_with_code(struct session *, const char *text, const char *code);
void reply_part(struct session *, const char *text);
void reply_number(struct session *, unsigned long number);

/* More input behind what is there. At its end or when it does not come the
   session is over. */
void session_read(struct session *);

/* The next command line; it has been replied to already if it was no good. */
enum smtp_line_state session_read_line(struct session *);

/* The same for a line that is no command, but an answer to a question of AUTH;
   nothing has been replied to it. */
enum smtp_line_state session_read_answer(struct session *);

/* A reply that refuses: as reply, and counted. The session may be over. */
void refuse(struct session *, const char *text);

/* A command that does nothing for a message. The session may be over. */
void count_junk(struct session *);

/* Sends what has been collected now: for those who are about to do something
   else with the connection. */
void session_flush(struct session *);

/* A pause that the client is to feel. One that has hung up meanwhile, or has no
   more to say, ends the session. */
void session_pause(struct session *, unsigned long seconds);

/* A variable of the environment that the programs we run are to see; NULL: there
   is none. One that cannot be had ends the session. */
void session_export(struct session *, const char *name, const char *value);

/* What points into the environment does so anew, the policy, too. RELAYCLIENT does
   nothing here: a plugin that sets it for a filter must not make a relay. */
void session_read_environment(struct session *);

/* The last reply of a session that cannot go on. */
_Noreturn void session_give_up(struct session *, const char *text);

/* The end of one that QUIT has ended, and of one that nothing is left to be said
   in. */
_Noreturn void session_quit(struct session *);
_Noreturn void session_leave(struct session *);

/* Forgets the transaction. */
void session_reset(struct session *);

/* Descriptors 0 and 1 are others now: forgets all that the client has said, as it
   may be another one. */
void session_begin_anew(struct session *);

#endif
