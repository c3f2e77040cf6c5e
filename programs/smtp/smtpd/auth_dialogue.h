/* What is said in a login, from AUTH's answer to the verdict: a function for each
   mechanism.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_AUTH_DIALOGUE_H
#define SMTPD_AUTH_DIALOGUE_H

#include "auth_checker.h"
#include "session.h"

/* `initial` is the answer in AUTH's own line, empty if there is none. It is gone
   afterwards. */
typedef enum auth_verdict auth_dialogue(struct session *, struct auth_attempt *,
					char *initial);

auth_dialogue auth_by_login;
auth_dialogue auth_by_plain;
auth_dialogue auth_by_cram_md5;
auth_dialogue auth_by_scram;

#endif
