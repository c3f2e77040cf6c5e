/* SPDX-License-Identifier: ISC */
#ifndef SMTPD_PULL_IN_H
#define SMTPD_PULL_IN_H

/* A stage that belongs in front of us and is not in the chain: execs it, found
   along $PATH or else beside our own file, with our command line behind it.
   `option` is the stage's, or NULL. Comes back only with errno. */
void pull_in(const char *stage, const char *option, int argc, char **argv);

#endif
