/* What a policy program with the interface of qmail-spp answers: lines, of which the
   first letter is an order and the rest its text. What comes out of here is fit for
   a reply, a header, an envelope or the environment. A line of no known letter
   is passed over, as in qmail-spp, so that a program may say other things, too.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_PLUGIN_ANSWER_H
#define MAIL_PLUGIN_ANSWER_H

#include <stddef.h>

#include "base/str.h"

/* A line of a header, RFC 5322 section 2.1.1. */
enum { PLUGIN_FIELD_LIMIT = 998 };

enum plugin_order {
	PLUGIN_NOTHING, /* no line is left */
	PLUGIN_BAD,     /* an order that cannot be followed */

	PLUGIN_ADD_FIELD,      /* H: a header field */
	PLUGIN_CHANGE_ADDRESS, /* C: an address, or nothing */
	PLUGIN_SET,            /* S: NAME=VALUE */
	PLUGIN_UNSET,          /* U: NAME */
	PLUGIN_PRINT,          /* P: "250-text": more of the reply that comes */

	/* Later refusals: a reply, "550 text". */
	PLUGIN_REFUSE_MAIL, /* LM */
	PLUGIN_REFUSE_RCPT, /* LR */
	PLUGIN_REFUSE_DATA, /* LD */

	/* Nothing that comes behind these counts. */
	PLUGIN_STOP_ALL, /* A */
	PLUGIN_NEXT,     /* N */
	PLUGIN_ACCEPT,   /* O */
	PLUGIN_DROP,     /* D */
	PLUGIN_REFUSE,   /* E: a reply */
	PLUGIN_HANG_UP,  /* R: a reply */
};

/* Takes the next order at `*at` and moves it on; its text is in `text`. A refusal
   whose text has no code of a refusal gets 550. */
enum plugin_order plugin_answer_next(const char **at, const char *end,
				     struct str *text);

#endif
