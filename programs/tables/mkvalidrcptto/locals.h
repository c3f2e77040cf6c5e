/* The local names of this host that mail is delivered to, as qmail-lspawn and
   qmail-local decide it: users/assign first, then the accounts of passwd, then
   the aliases; and in their homes the dot-qmail files. The surprise: a virtual
   domain is no more than a set of local names that begin alike.
   SPDX-License-Identifier: ISC */
#ifndef LOCALS_H
#define LOCALS_H

#include <stdbool.h>
#include <stddef.h>

#include "report.h"
#include "system/record_list.h"

struct source;

/* Start with {0}. All lists are sorted. */
struct locals {
	/* What there is: names, and beginnings ("joe-", or "" for all) of which
	   everything that has no name of its own is delivered, too. */
	struct record_list names;
	struct record_list beginnings;

	/* Who decides: each source with its number. */
	struct source *sources;
	size_t count;
	size_t room;
	struct record_list assigned;
	struct record_list assigned_beginnings;
	struct record_list accounts;
	bool is_last_byte[256]; /* of an assigned beginning */
};

void locals_find(struct locals *, const char *home, const char *passwd_path,
		 struct report *);

/* Is mail for this name delivered? */
bool locals_has(const struct locals *, const char *name, size_t length);

/* Is all mail for names that begin so delivered, by a shorter beginning? */
bool locals_cover(const struct locals *, const char *beginning, size_t length);

#endif
