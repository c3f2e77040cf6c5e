/* What rspamd answers to POST /checkv2 about one message: HTTP with a JSON object
   behind it. The action is a word with spaces in it, and the only thing that
   decides: a message that rspamd calls skipped may be one to reject.
   What rspamd orders for the header and the envelope ("milter",
   "dkim-signature") is carried out by rspamd_edit_header and
   rspamd_edit_envelope; its names, values and addresses are as hostile as the
   message, out of which it makes them, and what cannot be one is left out.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_RSPAMD_H
#define MAIL_RSPAMD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "mail/envelope.h"
#include "mail/header_edit.h"

enum {
	RSPAMD_REPLY_LIMIT = 1024 * 1024, /* bytes of all of it */
	RSPAMD_HEAD_LIMIT = 16384,        /* bytes of HTTP's header */
	RSPAMD_NESTING = 32,
	RSPAMD_VALUES = 32768,    /* in the object and below it */
	RSPAMD_EDITS = 200,       /* of the header */
	RSPAMD_RECIPIENTS = 1000, /* added, and as many removed */
	RSPAMD_TEXT_LIMIT = 160,  /* with the NUL */
};

enum rspamd_action {
	RSPAMD_UNKNOWN, /* one that somebody has made up */
	RSPAMD_NO_ACTION,
	RSPAMD_GREYLIST,
	RSPAMD_ADD_HEADER,
	RSPAMD_REWRITE_SUBJECT,
	RSPAMD_SOFT_REJECT,
	RSPAMD_REJECT,
	RSPAMD_DISCARD,
	RSPAMD_QUARANTINE,
};

struct cJSON;

/* The texts are C strings and not clean. */
struct rspamd_reply {
	enum rspamd_action action;
	const char *action_name;
	long score, required, reject; /* see mail/spam_score.h */
	const char *message;          /* for the client, or NULL */
	const char *subject;          /* the new one, or NULL */
	char text[RSPAMD_TEXT_LIMIT]; /* why there is none; printable */
	struct cJSON *json;
};

/* All that HTTP's Content-Length promises has come. Without one, the end of the
   connection says so. */
bool rspamd_is_whole(const char *bytes, size_t length);

/* False when it is no verdict; `text` says why. */
bool rspamd_parse(const char *bytes, size_t length, struct rspamd_reply *);

/* Removes fields, then adds fields, then the signatures. A message to be marked as
   spam gets the mark: `mark` is its name, "Yes" its value if rspamd has no other
   wish. NULL: it is not to be marked. */
void rspamd_edit_header(const struct rspamd_reply *, struct header_edit *,
			const char *mark);

/* The new envelope is appended; false when it stays as it is. */
bool rspamd_edit_envelope(const struct rspamd_reply *, const struct envelope *,
			  struct str *changed);

void rspamd_free(struct rspamd_reply *);

#endif
