/* What jgreylist would do with a client now, and why: its questions in its
   order, with what the environment answers, on standard output. Nothing is
   changed by it.
   SPDX-License-Identifier: ISC */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include "base/exit_codes.h"
#include "notation.h"
#include "store.h"

/* What happens to the client, as this program's exit code. */
enum fate {
	LET_IN = EXIT_DONE,
	GREY = 1,
	REFUSED = 2,
	IN_TROUBLE = EXIT_TRY_AGAIN, /* no store could say */
};

enum fate explain(struct store *, const char *client, enum notation);

#endif
