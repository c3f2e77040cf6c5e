/* Replies of a server, line by line as smtp_line_take finds them: the text stays
   printable and within its room, a reply has one code, and no reply is without
   an end.
   SPDX-License-Identifier: ISC */
#include "mail/smtp_reply.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check(const struct smtp_reply *reply)
{
	if (reply->length > SMTP_REPLY_TEXT) __builtin_trap();
	if (strlen(reply->text) != reply->length) __builtin_trap();
	for (size_t i = 0; i < reply->length; i++)
		if (reply->text[i] < ' ' || reply->text[i] > '~')
			__builtin_trap();
	if (reply->lines > SMTP_REPLY_LINES + 1) __builtin_trap();
	if (smtp_reply_enhanced_code(reply->text, reply->length) >
	    reply->length)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	char *copy = malloc(length + 1), *at = copy, *end = copy + length;
	struct smtp_reply reply = { 0 };

	memcpy(copy, bytes, length);
	while (at < end) {
		char *lf = memchr(at, '\n', (size_t)(end - at));
		size_t line = (size_t)((lf ? lf : end) - at);
		unsigned before = reply.code;
		const char *text = NULL;
		enum smtp_reply_state state =
			smtp_reply_take(&reply, at, line, &text);

		if (state != SMTP_REPLY_BAD) {
			check(&reply);
			if (text < at + 3 || text > at + line) __builtin_trap();
			if (before && reply.code != before) __builtin_trap();
			if (smtp_reply_class(&reply) < 2 ||
			    smtp_reply_class(&reply) > 5)
				__builtin_trap();
		}
		if (state != SMTP_REPLY_MORE) reply = (struct smtp_reply){ 0 };
		at += line + 1;
	}
	free(copy);
	return 0;
}
