/* delcr: takes the CR out of each CR LF that passes, standard input to standard
   output. One CR, so that CR CR LF becomes CR LF; a CR anywhere else stays,
   also at the very end.

   What has been read is written before more is read, but for a CR at its end,
   which waits for the byte behind it. Exit 111 when the input cannot be read or
   the output not be written.

   SPDX-License-Identifier: ISC */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "system/file.h"

enum { CHUNK = 65536 };

/* In place; the length that is left. */
static size_t delete_crs(char *bytes, size_t length)
{
	const char *from = bytes, *end = bytes + length;
	char *to = bytes;

	while (from < end) {
		const char *cr = memchr(from, '\r', (size_t)(end - from));
		size_t plain = (size_t)((cr ? cr : end) - from);

		if (to != from) memmove(to, from, plain);
		to += plain;
		from += plain;
		if (!cr) break;
		if (cr + 1 < end && cr[1] == '\n') from++;
		*to++ = *from++;
	}
	return (size_t)(to - bytes);
}

static void write_output(const char *bytes, size_t length)
{
	if (file_write(STDOUT_FILENO, bytes, length) < 0)
		die_temporary("unable to write output:");
}

int main(void)
{
	static char bytes[1 + CHUNK]; /* begins with the CR that waits */
	size_t waiting = 0;
	ssize_t n;

	program_name = "delcr";
	while ((n = read(STDIN_FILENO, bytes + waiting, CHUNK)) != 0) {
		size_t length = waiting + (size_t)n;

		if (n < 0 && errno == EINTR) continue;
		if (n < 0) die_temporary("unable to read input:");
		waiting = bytes[length - 1] == '\r';
		write_output(bytes, delete_crs(bytes, length - waiting));
		bytes[0] = '\r';
	}
	write_output("\r", waiting);
	return EXIT_DONE;
}
