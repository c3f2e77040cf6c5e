/* The header field Authentication-Results (RFC 8601): taking out what strangers
   wrote in our name, and writing our own. Who reads the field trusts it by the
   name that it begins with, the authserv-id, so everything depends on finding
   that name in each form that some reader may understand: any case, comments,
   quotes, folds, a version behind it, a final dot, U-labels for A-labels.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_AUTH_RESULTS_H
#define MAIL_AUTH_RESULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum {
	/* Of a field, until it is known whose it is. Honest ones say it in
	   their first line. */
	AUTH_RESULTS_HELD = 2048,
	/* Bytes of a line without its LF, RFC 5322 section 2.1.1. */
	AUTH_RESULTS_LINE = 998,
};

enum auth_results_place {
	AUTH_RESULTS_LINE_START,
	AUTH_RESULTS_NAME, /* the bytes so far are in `held` */
	AUTH_RESULTS_PASSING,
	AUTH_RESULTS_HOLDING,
	AUTH_RESULTS_HOLDING_LINE_START,
	AUTH_RESULTS_DROPPING,
	AUTH_RESULTS_DROPPING_LINE_START,
	AUTH_RESULTS_BODY,
};

/* The way of a message from its first byte on. Start with the id (as we write
   it), where the rest goes to, and zeros. */
struct auth_results_filter {
	const char *id;
	void (*write)(void *context, const char *bytes, size_t length);
	void *context;

	enum auth_results_place place;
	bool is_behind_cr;
	bool began_behind_cr; /* the field at hand */
	size_t count;
	char held[AUTH_RESULTS_HELD + 1];
};

/* Passes the next bytes of a message with LF line ends on, however it is cut,
   without the fields that are ours, that name nobody, or whose name does not
   come within AUTH_RESULTS_HELD bytes. All else, and all that follows the first
   empty line, stays as it is. A lone CR counts as the end of a line, too, as it
   does for some readers. */
void auth_results_filter(struct auth_results_filter *, const char *bytes,
			 size_t length);

/* The message is over: what was held goes its way. */
void auth_results_filter_end(struct auth_results_filter *);

/* A field that is being written, behind what is there already. The first member
   is the caller's to set. */
struct auth_results {
	bool may_be_utf8; /* the message may have UTF-8 in its header */
	struct str *header;
	size_t line; /* where the last line begins */
	bool has_results;
};

/* "Authentication-Results: ID", the id having 255 bytes at most. */
void auth_results_begin(struct auth_results *, struct str *header,
			const char *id);

/* Another method, "spf", with its result, "pass", and maybe a comment behind
   that: nothing from outside. */
void auth_results_add(struct auth_results *, const char *method,
		      const char *result);

/* What the result is about: "smtp.mailfrom" and its value, which may be
   anything. One that is no token, nor an address or a domain of such, is put in
   quotes; control bytes, and bytes beyond ASCII unless they are UTF-8 and may be
   there, become '?'. A value that no line has room for is left out, as a part
   of it would be somebody else. */
void auth_results_property(struct auth_results *, const char *name,
			   const char *value);

/* "; none" when there was no result, and the LF. */
void auth_results_end(struct auth_results *);

#endif
