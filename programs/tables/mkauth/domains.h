/* The mailboxes of vpopmail's domains, by the lines of users/assign that stand for
   them.
   SPDX-License-Identifier: ISC */
#ifndef DOMAINS_H
#define DOMAINS_H

#include "collection.h"

void add_domains(struct collection *);

#endif
