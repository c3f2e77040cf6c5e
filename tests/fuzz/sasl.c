/* Answers in AUTH's exchange, the first byte says of which kind: what is handed on
   lies within the answer, is no empty string, and nothing of it is lost.
   SPDX-License-Identifier: ISC */
#include "mail/sasl.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_within(const struct str *bytes, const char *text)
{
	if (text < bytes->data || !*text ||
	    text + strlen(text) > bytes->data + bytes->length)
		__builtin_trap();
}

static void check_login(const struct str *bytes, const struct sasl_login *login)
{
	check_within(bytes, login->login);
	check_within(bytes, login->secret);
	if (login->login + strlen(login->login) + 1 != login->secret)
		__builtin_trap();
	if (login->secret + strlen(login->secret) !=
	    bytes->data + bytes->length)
		__builtin_trap();
}

static void check_text(const struct str *bytes, const char *line, size_t length)
{
	struct str again = { 0 };

	base64_encode(&again, bytes->data, bytes->length);
	if (bytes->length > 0 &&
	    (again.length != length || memcmp(again.data, line, length) != 0))
		__builtin_trap();
	str_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct str answer = { 0 };
	struct sasl_login login;
	char *line;

	if (length < 1) return 0;
	line = malloc(length);
	if (!line) return 0;
	memcpy(line, bytes + 1, length - 1);
	/* As base64, and as what is in it. */
	if (*bytes & 1) str_append(&answer, line, length - 1);
	else if (sasl_read_answer(&answer, line, length - 1) == SASL_ANSWERED)
		check_text(&answer, line, length - 1);
	else str_clear(&answer);
	if (*bytes & 2) {
		if (sasl_read_plain(&login, &answer) == 0)
			check_login(&answer, &login);
	} else if (sasl_read_cram(&login, &answer) == 0)
		check_login(&answer, &login);
	sasl_wipe(&answer);
	free(line);
	return 0;
}
