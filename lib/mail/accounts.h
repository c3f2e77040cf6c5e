/* The files that say who has an account: passwd, shadow, and qmail's
   users/assign (qmail-users(5)). The surprise: an assignment is also how qmail
   knows a virtual domain of vpopmail, as the beginning DOMAIN- of local names.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_ACCOUNTS_H
#define MAIL_ACCOUNTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "system/colon_file.h"
#include "system/replacement.h"

enum { ACCOUNTS_LIMIT = 1024 * 1024 * 1024 }; /* bytes of a file */

struct account {
	const char *name;
	const char *password; /* as passwd has it: mostly "x" */
	const char *home;
	uid_t user;
	gid_t group;
};

/* The next line of passwd that is whole. */
bool accounts_next(struct colon_file *passwd, struct account *);

/* Who may read what is made for smtpd: the group of this name or number; for
   NULL that of the account qmaild, if there is one. -1: there is no such
   group. */
int accounts_find_readers(const char *passwd_path, const char *group,
			  struct replacement_rights *);

/* qmail's home: this one, else $VQ, else the compiled one. Its control folder is
   that of mail/control.h from now on, unless $CONTROLDIR names one. */
const char *accounts_choose_home(const char *home);

struct assignment {
	const char *local; /* in lower case; a name, or how names begin */
	const char *account;
	uid_t user;
	gid_t group;
	const char *home;
	const char *dash;
	const char *extension; /* of a beginning: what comes before the rest */
	bool is_beginning;
};

/* The next line of users/assign that assigns anything; a dot ends the file. */
bool accounts_next_assignment(struct colon_file *assign, struct assignment *);

#endif
