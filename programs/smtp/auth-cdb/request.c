/* SPDX-License-Identifier: ISC */
#include "request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"
#include "mail/scram.h"
#include "system/file.h"

_Static_assert(MESSAGE_ROOM == SCRAM_MESSAGE_LIMIT + 1, "a NUL behind it");

enum { EXIT_MISUSE = 2 };

_Noreturn void die_misused(const char *why)
{
	note("%s", why);
	note("usage: auth-cdb [ -s ] program [ arg ... ], or: auth-cdb -p "
	     "[ -s ], where descriptor 3 asks; or: auth-cdb -m kind "
	     "[ -c cost ]");
	exit(EXIT_MISUSE);
}

static _Noreturn void die_of_reading(void)
{
	if (errno == EBADF) die_misused("descriptor 3 is not open");
	die_temporary("unable to read descriptor 3:");
}

static size_t read_some(char *into, size_t room)
{
	ssize_t n;

	do n = read(REQUEST_FD, into, room);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == ECONNRESET) return 0; /* a caller that is gone */
	if (n < 0) die_of_reading();
	return (size_t)n;
}

static const char *next_field(const struct request *request, size_t *at)
{
	const char *field = request->bytes + *at;
	const char *end = memchr(field, '\0', request->length - *at);

	if (!end) die_misused("descriptor 3 has not three strings");
	*at += (size_t)(end - field) + 1;
	return field;
}

bool request_read(struct request *request)
{
	size_t at = 0, n;

	while ((n = read_some(request->bytes + request->length,
			      sizeof request->bytes - request->length)) > 0)
		request->length += n;
	if (request->length > REQUEST_LIMIT) return false;
	request->login = next_field(request, &at);
	request->password = next_field(request, &at);
	request->challenge = next_field(request, &at);
	return true;
}

/* The login stays. */
void request_wipe(struct request *request)
{
	size_t login = request->login ? strlen(request->login) + 1 : 0;

	explicit_bzero(request->bytes + login, sizeof request->bytes - login);
}

bool request_read_message(char message[MESSAGE_ROOM])
{
	size_t length = 0, n;

	do {
		n = read_some(message + length, MESSAGE_ROOM - length);
		length += n;
		if (n == 0) return false;
	} while (!memchr(message + length - n, '\0', n));
	return strlen(message) + 1 == length;
}

void request_send_message(const struct str *message)
{
	if (file_write(REQUEST_FD, message->data, message->length + 1) < 0)
		die_temporary("unable to write to descriptor 3:");
}
