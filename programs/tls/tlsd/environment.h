/* The variables that a program gets in reply to `Y`.
   SPDX-License-Identifier: ISC */
#ifndef TLSD_ENVIRONMENT_H
#define TLSD_ENVIRONMENT_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/str.h"

enum {
	/* A program reads the block into its memory: what would not fit any
	   more is left out. */
	ENVIRONMENT_LIMIT = 64 << 10,
};

/* Appends NAME=VALUE and a NUL for each variable, then one more NUL. Some are
   for everybody; `all` adds those that mod_ssl and ucspi-ssl know. No value
   holds a control character but the newlines of PEM. */
void environment_append(struct str *, SSL *, bool all);

#endif
