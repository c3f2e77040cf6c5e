/* SPDX-License-Identifier: ISC */
#include "mail/sasl.h"

#include <string.h>

#include "base/base64.h"

enum { CRAM_DIGITS = 32 };

enum sasl_answer sasl_read_answer(struct str *bytes, const char *line,
				  size_t length)
{
	if (length == 1 && *line == '*') return SASL_CANCELLED;
	if (length == 1 && *line == '=') length = 0;
	return base64_decode(bytes, line, length) == 0 ? SASL_ANSWERED
						       : SASL_MALFORMED;
}

bool sasl_is_string(const struct str *bytes)
{
	return bytes->length > 0 && strlen(bytes->data) == bytes->length;
}

/* The string behind `from`, or NULL when there is no NUL in between. */
static const char *next_string(const struct str *bytes, const char *from)
{
	size_t left = bytes->length - (size_t)(from - bytes->data);
	const char *end = memchr(from, '\0', left);

	return end ? end + 1 : NULL;
}

int sasl_read_plain(struct sasl_login *login, const struct str *bytes)
{
	if (bytes->length == 0) return -1;
	login->login = next_string(bytes, bytes->data);
	if (!login->login) return -1;
	login->secret = next_string(bytes, login->login);
	if (!login->secret || next_string(bytes, login->secret)) return -1;
	return *login->login && *login->secret ? 0 : -1;
}

int sasl_read_cram(struct sasl_login *login, struct str *bytes)
{
	char *blank;

	if (!sasl_is_string(bytes)) return -1;
	blank = strrchr(bytes->data, ' ');
	if (!blank || blank == bytes->data) return -1;
	login->login = bytes->data;
	login->secret = blank + 1;
	if (strlen(login->secret) != CRAM_DIGITS ||
	    strspn(login->secret, "0123456789abcdefABCDEF") != CRAM_DIGITS)
		return -1;
	*blank = '\0';
	return 0;
}

void sasl_wipe(struct str *bytes)
{
	if (bytes->data) explicit_bzero(bytes->data, bytes->room);
	str_free(bytes);
}
