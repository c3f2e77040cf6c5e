/* Control files, as qmail-control(5) describes them: in $CONTROLDIR, else in
   control/ under the home. Trailing spaces and tabs are cut from every line;
   in lists, empty lines and lines that begin with '#' are left out. A file
   that is not there is no error.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_CONTROL_H
#define MAIL_CONTROL_H

#include "base/str.h"

enum control_answer { CONTROL_FOUND, CONTROL_ABSENT, CONTROL_FAILED };

enum { CONTROL_FILE_LIMIT = 16 * 1024 * 1024 };

/* $CONTROLDIR, or the compiled home's control folder. */
const char *control_folder(void);

/* The path of a control file. Here and below, a name that begins with a slash is a
   path itself. */
void control_path(struct str *path, const char *name);

/* The first line. */
enum control_answer control_read_line(const char *name, struct str *line);

/* The first line's leading number; `*number` stays when there is none. */
enum control_answer control_read_number(const char *name,
					unsigned long *number);

/* All lines that count, each ended by a NUL, one after the other. */
enum control_answer control_read_list(const char *name, struct str *lines);

#endif
