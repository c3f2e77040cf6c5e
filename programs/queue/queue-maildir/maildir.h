/* One message into several Maildirs, all or none as far as the file system
   lets one, and without a second copy when the caller tries again.

   Every recipient's file has the same name in tmp/ at each attempt: a hash of
   sender, recipient and message. Its writer holds a lock on it for as long as
   he lives, and it goes away only when all recipients have been served. So a
   file that is there and not locked is what an attempt has left that died: with
   a second name, it had been delivered; without one, it had not.
   SPDX-License-Identifier: ISC */
#ifndef QUEUE_MAILDIR_MAILDIR_H
#define QUEUE_MAILDIR_MAILDIR_H

#include <stddef.h>
#include <stdint.h>

#include "base/exit_codes.h"
#include "base/str.h"
#include "mail/stage.h"

enum delivery_state {
	DELIVERY_NOTHING, /* no file of ours */
	DELIVERY_CLAIMED, /* in tmp/, locked by us */
	DELIVERY_EARLIER, /* as CLAIMED, but an earlier attempt linked it */
	DELIVERY_LINKED,  /* in tmp/ and in new/ */
};

struct delivery {
	const char *recipient;
	const char *maildir; /* of `maildir_length` bytes, no NUL */
	size_t maildir_length;
	uint64_t hash;
	unsigned slot;
	unsigned long number; /* in the file's name in new/ */
	int fd;
	enum delivery_state state;
};

/* Fills in the rest of the deliveries. QUEUE_DONE: each one is in its new/ and
   will be there after a power cut. Anything else: what to exit with, after
   stage_refuse for QUEUE_CUSTOM_TEXT; `reason` is one for the log, and what
   could be taken back has been. */
enum queue_exit_code maildir_deliver(const struct stage *, struct delivery *,
				     size_t count, struct str *reason);

#endif
