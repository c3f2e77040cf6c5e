/* From local names to addresses: by the domains that this host is for, as
   qmail-send goes by control/locals and control/virtualdomains.
   SPDX-License-Identifier: ISC */
#ifndef ADDRESSES_H
#define ADDRESSES_H

#include "locals.h"
#include "report.h"
#include "system/record_list.h"

/* Adds what smtpd is to find: addresses, NAME-default@DOMAIN and @DOMAIN. */
void addresses_find(struct record_list *addresses, const struct locals *,
		    struct report *);

#endif
