/* Who decides about a local name, as qmail-lspawn finds out: users/assign first,
   then the accounts of passwd, then the aliases. Each line of the first two is a
   source of names, and has a number; the aliases are the last.
   SPDX-License-Identifier: ISC */
#ifndef SOURCES_H
#define SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "report.h"
#include "system/record_list.h"

/* Whose files decide about the names that begin so: .qmail, the dash, and the
   extension and the rest of the name, with ':' for '.'. What is ASSIGNED is one
   name; those of an account are its own and what begins with that and a dash. The
   texts are those of the files, which stay in memory. */
struct source {
	const char *names;
	const char *home;
	const char *dash;
	const char *extension;
	const char *account;
	uid_t user;
	gid_t group;
	enum { ASSIGNED, ASSIGNED_BEGINNING, ACCOUNT, ALIASES } kind;
};

/* Start with {0}. The last source is the aliases: what nobody else decides
   about. */
struct sources {
	struct source *all;
	size_t count;
	size_t room;
	struct record_list assigned;
	struct record_list assigned_beginnings;
	struct record_list accounts;
	bool is_last_byte[256]; /* of an assigned beginning */
};

/* Of the qmail in `home`; what could not be read is in the report. */
void sources_read(struct sources *, const char *home, const char *passwd_path,
		  struct report *);

/* The number of the source that decides about this name, and about those that
   begin so and that nobody has assigned. */
uint32_t sources_owner_of_name(const struct sources *, const char *name,
			       size_t length);
uint32_t sources_owner_of_beginning(const struct sources *, const char *name,
				    size_t length);

/* Lists of names with their owners' numbers. */
void owner_add(struct record_list *, const char *name, size_t length,
	       uint32_t owner);
bool owner_find(const struct record_list *, const char *name, size_t length,
		uint32_t *owner);

#endif
