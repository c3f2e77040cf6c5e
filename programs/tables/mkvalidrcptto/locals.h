/* The local names of this host that mail is delivered to, as qmail-local decides
   it by the dot-qmail files in the home of whom a name belongs to (sources.h). The
   surprise: a virtual domain is no more than a set of local names that begin
   alike.
   SPDX-License-Identifier: ISC */
#ifndef LOCALS_H
#define LOCALS_H

#include <stdbool.h>
#include <stddef.h>

#include "report.h"
#include "sources.h"
#include "system/record_list.h"

/* Start with {0}. Its lists are sorted. */
struct locals {
	/* What there is: names, and beginnings ("joe-", or "" for all) of which
	   everything that has no name of its own is delivered, too. */
	struct record_list names;
	struct record_list beginnings;

	struct sources sources; /* who decides */
};

void locals_find(struct locals *, const char *home, const char *passwd_path,
		 struct report *);

/* Is mail for this name delivered? */
bool locals_has(const struct locals *, const char *name, size_t length);

/* Is all mail for names that begin so delivered, by a shorter beginning? */
bool locals_cover(const struct locals *, const char *beginning, size_t length);

#endif
