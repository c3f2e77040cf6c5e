/* What the two families of qmail-qfilter do differently.
   SPDX-License-Identifier: ISC */
#ifndef QMAIL_QFILTER_DIALECT_H
#define QMAIL_QFILTER_DIALECT_H

#include <stdbool.h>

#include "base/exit_codes.h"

struct dialect {
	const char *name;
	/* A filter's 2 means 99, its 100 means 31 and its 111 means 71. */
	bool knows_delivery_codes;
	/* A filter's standard error may hold the text for the client. */
	bool reads_text_from_log;
	/* control/qfilters has more filters. */
	bool has_control_file;
	enum queue_exit_code bad_envelope;
};

/* $QQF_DIALECT, "bruceg" when it is unset or empty; NULL for a name that none
   has. */
const struct dialect *dialect_from_environment(void);

/* What a filter's exit code means: 0, 99, or what to exit with. */
int dialect_code(const struct dialect *, int exit_code);

#endif
