/* What a dot-qmail file for everything else (.qmail-default and the like) is for:
   mostly its instructions take all names, but those of vpopmail look for a
   mailbox first, and may end in a bounce.
   SPDX-License-Identifier: ISC */
#ifndef DOT_QMAIL_H
#define DOT_QMAIL_H

enum dot_qmail_use {
	DOT_QMAIL_TAKES_NONE = 0,
	DOT_QMAIL_TAKES_ALL = 1,
	DOT_QMAIL_HAS_MAILBOXES = 2, /* of vpopmail, in the same folder */
};

enum { DOT_QMAIL_LIMIT = 1024 * 1024 };

/* A set of the above. */
unsigned dot_qmail_use(char *instructions);

#endif
