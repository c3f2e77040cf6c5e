/* The users of this host, as passwd and shadow have them: NAME and NAME@ME.
   SPDX-License-Identifier: ISC */
#ifndef USERS_H
#define USERS_H

#include "collection.h"

void add_users(struct collection *);

#endif
