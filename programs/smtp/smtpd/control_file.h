/* A control file that few sessions need: it is read at the first question for
   it, and once. One that cannot be read ends the session.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_CONTROL_FILE_H
#define SMTPD_CONTROL_FILE_H

#include <stdbool.h>

#include "session.h"

/* Start with the name. One for the process, as there is one session. */
struct control_file {
	const char *name;
	struct str text;
	bool is_read;
	bool is_absent;
};

/* Its lines, each with a NUL behind it; NULL: there is no such file. */
const struct str *control_file_list(struct session *, struct control_file *);

/* Is the text, in any case of its letters, a line of the list? */
bool control_file_has(struct session *, struct control_file *,
		      const char *text);

/* Its first line; "" when there is none, or no such file. */
const char *control_file_line(struct session *, struct control_file *);

#endif
