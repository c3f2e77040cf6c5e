/* The control files: authusers has logins that are in no other file, authsettings
   what is put behind the hashes of others. A line that is wrong ends the program,
   100.
   SPDX-License-Identifier: ISC */
#ifndef CONTROL_FILES_H
#define CONTROL_FILES_H

#include "collection.h"

/* Before anything is added. */
void read_authsettings(struct collection *);

void add_authusers(struct collection *);

_Noreturn void die_of_control(const char *name);

#endif
