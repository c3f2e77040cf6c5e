/* What the command line says.
   SPDX-License-Identifier: ISC */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>

struct settings {
	const char *table; /* NULL: print */
	const char *group;
	const char *home;
	const char *passwd;
	const char *shadow;
	unsigned long first_user;
	bool takes_all;
	bool shows_progress;
};

#endif
