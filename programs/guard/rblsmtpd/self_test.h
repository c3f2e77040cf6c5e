/* -T: does each list have the entries that every list must have, and not those
   that none may have (RFC 5782 section 5)?
   SPDX-License-Identifier: ISC */
#ifndef RBLSMTPD_SELF_TEST_H
#define RBLSMTPD_SELF_TEST_H

#include "settings.h"

/* A line for each list on standard output. 0: all is well; 1: not with some
   list; 111: nobody answered. */
int self_test(const struct settings *);

#endif
