/* The fields that we put in front of a message: the trace field (RFC 5321
   section 4.4) in qmail's form, and what the checks have found out.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_TRACE_H
#define SMTPD_TRACE_H

#include "session.h"

void trace_append(struct str *fields, struct session *);

#endif
