/* The mailboxes of a domain that vpopmail serves. The domain's folder,
   VPOPMAIL/domains/…/DOMAIN, has a file vpasswd with a line for each. The
   surprise: there is none where vpopmail keeps them in a database; then
   VPOPMAIL/bin/vuserinfo is asked, and VPOPMAIL/bin/valias for the aliases that
   are in the database too. Both belong to a user that is not root, so they
   never run as root.
   Start with {0}.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_VPOPMAIL_H
#define MAIL_VPOPMAIL_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/str.h"
#include "system/colon_file.h"

/* Of a mailbox, in its gid. */
enum { VPOPMAIL_BOUNCE_MAIL = 0x10, VPOPMAIL_NO_SMTP = 0x800 };

struct vpopmail_domain {
	const char *name;
	const char *folder;
	uid_t user; /* whom the folder belongs to */
	gid_t group;
};

struct vpopmail {
	struct colon_file vpasswd;
	struct str answer; /* of a program */
	size_t at;
	bool is_of_program;
};

struct vpopmail_mailbox {
	const char *name;
	const char *password; /* as crypt made it */
	unsigned long flags;
};

/* 0, or -1 with errno: ENOENT when there is neither the file nor the program,
   EPROTO when the program failed or its answer is none. */
int vpopmail_read_mailboxes(struct vpopmail *, const struct vpopmail_domain *);

/* What it points to stays until the next reading. */
bool vpopmail_next_mailbox(struct vpopmail *, struct vpopmail_mailbox *);

/* The aliases of a domain whose mailboxes are in a database; none where there is
   no program. Local parts. */
int vpopmail_read_aliases(struct vpopmail *, const struct vpopmail_domain *);
bool vpopmail_next_alias(struct vpopmail *, const char **name);

void vpopmail_close(struct vpopmail *);

#endif
