/* addcr: puts a CR before each LF that passes, standard input to standard
   output; also where one stands already, so that delcr gives back exactly what
   addcr was given. A last line without LF gets none.

   What has been read is written before more is read. Exit 111 when the input
   cannot be read or the output not be written.

   SPDX-License-Identifier: ISC */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "system/file.h"

enum { CHUNK = 65536 };

/* Lines from `from` to `to`, which has room for twice as much. */
static size_t add_crs(const char *from, size_t length, char *to)
{
	const char *end = from + length;
	char *at = to;

	while (from < end) {
		const char *newline = memchr(from, '\n', (size_t)(end - from));
		size_t plain = (size_t)((newline ? newline : end) - from);

		memcpy(at, from, plain);
		at += plain;
		from += plain;
		if (!newline) break;
		*at++ = '\r';
		*at++ = *from++;
	}
	return (size_t)(at - to);
}

int main(void)
{
	static char from[CHUNK], to[2 * CHUNK];
	ssize_t n;

	program_name = "addcr";
	while ((n = read(STDIN_FILENO, from, sizeof from)) != 0) {
		if (n < 0 && errno == EINTR) continue;
		if (n < 0) die_temporary("unable to read input:");
		if (file_write(STDOUT_FILENO, to,
			       add_crs(from, (size_t)n, to)) < 0)
			die_temporary("unable to write output:");
	}
	return EXIT_DONE;
}
