/* The logins that have been found so far, each with what is to stand for it in
   auth.cdb. The surprise: of two passwords for a login the first that was added
   counts, so whose turn it is decides.
   SPDX-License-Identifier: ISC */
#ifndef COLLECTION_H
#define COLLECTION_H

#include <stdbool.h>

#include "settings.h"
#include "system/progress.h"
#include "system/record_list.h"

enum { SHOWN = 256 };

/* Start with {0} and the settings. */
struct collection {
	const struct settings *settings;
	struct record_list logins;
	struct record_list login_settings; /* of control/authsettings; sorted */
	struct str value;                  /* the present one */
	struct progress progress;
	unsigned long warnings;
};

/* A login with a hash, unless it is locked and nobody asked for those. `expiry`:
   the day from which on it is closed, counted from 1970, if it is a number. What
   is not fit for the table is left out with a warning. */
void collection_add_hash(struct collection *, const char *login,
			 const char *hash, const char *expiry);

/* A login with all that stands for it, which is fit. */
void collection_add_value(struct collection *, const char *login,
			  const char *value);

bool login_is_fit(const char *login);

/* HASH, or HASH,NAME="VALUE",NAME="VALUE" */
bool value_is_fit(char *value);

/* NAME="VALUE",NAME="VALUE" */
bool settings_are_fit(const char *text);

/* Sorted, with no login twice: of those there is a warning. */
void collection_finish(struct collection *);

#endif
