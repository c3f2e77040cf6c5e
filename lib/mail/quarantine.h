/* Copies of messages, for whoever looks after them: files of their own in a folder,
   or messages in it when it is a Maildir, with the envelope and the reason in
   fields on top. A copy has its name only when it is whole and on the disk.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_QUARANTINE_H
#define MAIL_QUARANTINE_H

#include "mail/stage.h"

/* The folder has to be there. `state` and `detail` say why, the latter maybe in
   bytes from outside. 0, or -1 with errno. */
int quarantine_keep(const struct stage *, const char *folder, const char *state,
		    const char *detail);

#endif
