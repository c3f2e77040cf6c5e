/* The exit codes that the programs share; names instead of bare numbers.
   A queue program's codes are a protocol of their own (qmail-queue(8)): 11 to 40
   refuse for ever, every other one but 0 is "try again". Only those that our
   programs give are named here; what each means to the client is in
   mail/queue_client.c.
   SPDX-License-Identifier: ISC */
#ifndef BASE_EXIT_CODES_H
#define BASE_EXIT_CODES_H

enum exit_code {
	EXIT_DONE = 0,
	EXIT_NEVER = 100,     /* wrong use, or it will never work */
	EXIT_TRY_AGAIN = 111, /* the system could not do it now */
};

enum queue_exit_code {
	QUEUE_DONE = 0,
	QUEUE_ADDRESS_TOO_LONG = 11,
	QUEUE_REFUSED = 31,
	QUEUE_OUT_OF_MEMORY = 51,
	QUEUE_TIMED_OUT = 52,
	QUEUE_CANNOT_WRITE = 53, /* also: the disk is full */
	QUEUE_CANNOT_READ = 54,  /* also: the envelope ends too early */
	QUEUE_CANNOT_READ_SETTINGS = 55,
	QUEUE_CANNOT_CONNECT = 56, /* to another server */
	QUEUE_NO_HOME = 61,
	QUEUE_NO_QUEUE = 62,
	QUEUE_CANNOT_BEGIN = 63,       /* a file in pid/ */
	QUEUE_CANNOT_CREATE = 64,      /* one in mess/ */
	QUEUE_CANNOT_CREATE_INTD = 65, /* and so on */
	QUEUE_CANNOT_NAME_TODO = 66,
	QUEUE_TRY_AGAIN = 71,
	/* Of a connection to another server. */
	QUEUE_CONNECTION_TIMED_OUT = 72,
	QUEUE_CONNECTION_REFUSED = 73,
	QUEUE_CONNECTION_LOST = 74,
	QUEUE_CRASHED = 81,     /* a signal that means a bug */
	QUEUE_CUSTOM_TEXT = 82, /* the reply stands on the error descriptor */
	QUEUE_CUSTOM_TEXT_OTHER = 88, /* the same, as other families say it */
	QUEUE_BAD_ENVELOPE = 91,
	QUEUE_CANNOT_EXEC = 120,
};

enum { QUEUE_FIRST_PERMANENT = 11, QUEUE_LAST_PERMANENT = 40 };

#endif
