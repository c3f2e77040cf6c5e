/* A talk with Redis, in hiredis' words: commands go out together, their answers
   come back in the same order. Nothing that the server says can make us wait
   beyond the deadline or take more memory than REDIS_ANSWERS bytes.
   The two commands that a new connection begins with, for the password and the
   database, go out with the first ones: that costs no round trip. So a first
   command may be carried out though the password or the database was refused,
   if Redis lets it; its answer is never seen then.
   SPDX-License-Identifier: ISC */
#ifndef SYSTEM_REDIS_H
#define SYSTEM_REDIS_H

#include <stddef.h>

#include "base/str.h"
#include "system/deadline.h"

enum {
	REDIS_CAUSE = 240,
	REDIS_TEXT_LENGTH = 160,    /* of an error; the rest is cut off */
	REDIS_VALUE_LENGTH = 32,    /* more is no value of ours */
	REDIS_ANSWERS = 128 * 1024, /* all those of one redis_send */
};

struct redisReader;

struct redis_link {
	const char *address;       /* unix:/path, HOST:PORT or [IPV6]:PORT */
	const char *password_file; /* "password" or "user:password"; NULL */
	long database;
	unsigned long seconds;

	int fd; /* -1: none yet */
	deadline end;
	struct str password;
	struct str commands;
	size_t room; /* how many bytes may still come */
	struct redisReader *reader;
	char cause[REDIS_CAUSE]; /* empty: nothing is wrong */
};

enum redis_kind {
	REDIS_NOTHING, /* nil */
	REDIS_NUMBER,
	REDIS_TEXT,
	REDIS_ERROR,
	REDIS_LIST,
	REDIS_JUNK, /* a value that is too long, or has a NUL */
};

/* An item of a list, `depth` lists deep. */
typedef void redis_item(void *context, unsigned depth, const char *bytes,
			size_t length);

struct redis_answer {
	redis_item *item; /* the caller's, or NULL */
	void *context;
	enum redis_kind kind;
	long long number;
	char text[REDIS_TEXT_LENGTH + 1]; /* an error's is printable */
};

/* From here on the deadline counts; no command is there yet. */
void redis_begin(struct redis_link *);

/* Up to REDIS_WORDS words, the last one NULL. */
enum { REDIS_WORDS = 8 };
void redis_command(struct redis_link *, const char *const *words);

/* Connects if need be, and sends the commands. 0, or -1 with the cause. */
int redis_send(struct redis_link *);

/* The answer to the next command. All are to be taken before others are sent.
   0, or -1 with the cause. */
int redis_next_answer(struct redis_link *, struct redis_answer *);

/* Hangs up; the answer that is not what was hoped for becomes the cause. -1. */
int redis_refuse(struct redis_link *, const struct redis_answer *);

/* Frees what there is, but for the settings and the cause. */
void redis_hang_up(struct redis_link *);

#endif
