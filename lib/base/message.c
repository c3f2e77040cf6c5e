/* SPDX-License-Identifier: ISC */
#include "base/message.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_codes.h"

const char *program_name = "chainmail";

const char *error_text(int error)
{
	switch (error) {
	case ENOENT: return "file does not exist";
	case EACCES: return "access denied";
	case EPERM: return "permission denied";
	case EEXIST: return "file already exists";
	case ENOTDIR: return "not a directory";
	case EISDIR: return "is a directory";
	case ENOEXEC: return "exec format error";
	case EIO: return "input/output error";
	case ENOMEM: return "out of memory";
	case ENOSPC: return "out of disk space";
	case EPIPE: return "broken pipe";
	case ETIMEDOUT: return "timed out";
	case ECONNREFUSED: return "connection refused";
	case ECONNRESET: return "connection reset";
	case EADDRINUSE: return "address already used";
	case EADDRNOTAVAIL: return "address not available";
	case ENONET: return "host not found";
	case EPROTO: return "protocol error";
	default: return strerror(error);
	}
}

/* One write, so that lines of several processes on one log stay whole. A log
   that cannot be written is no reason to stop mail. */
__attribute__((format(printf, 2, 0))) static void
say(const char *kind, const char *format, va_list arguments)
{
	char line[MESSAGE_LIMIT];
	int cause = errno;
	size_t room = sizeof line - 1, used = 0, ends;
	int n = snprintf(line, room, "%s: %s", program_name, kind);

	if (n > 0) used = (size_t)n < room ? (size_t)n : room - 1;
	n = vsnprintf(line + used, room - used, format, arguments);
	if (n > 0)
		used += (size_t)n < room - used ? (size_t)n : room - used - 1;
	ends = strlen(format);
	if (ends > 0 && format[ends - 1] == ':') {
		n = snprintf(line + used, room - used, " %s",
			     error_text(cause));
		if (n > 0)
			used += (size_t)n < room - used ? (size_t)n
							: room - used - 1;
	}
	line[used++] = '\n';
	if (write(STDERR_FILENO, line, used) < 0) return;
}

void die_usage(const char *synopsis)
{
	note("usage: %s", synopsis);
	exit(EXIT_NEVER);
}

void die_permanent(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say("fatal: ", format, arguments);
	va_end(arguments);
	exit(EXIT_NEVER);
}

void die_temporary(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say("fatal: ", format, arguments);
	va_end(arguments);
	exit(EXIT_TRY_AGAIN);
}

void warn(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say("warning: ", format, arguments);
	va_end(arguments);
}

void note(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say("", format, arguments);
	va_end(arguments);
}
