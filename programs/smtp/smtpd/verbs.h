/* SPDX-License-Identifier: ISC */
#ifndef SMTPD_VERBS_H
#define SMTPD_VERBS_H

#include "session.h"

/* Carries out one command line, and replies. */
void run_command(struct session *, char *line);

/* "220 name ESMTP" */
void greet(struct session *);

#endif
