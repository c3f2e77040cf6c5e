/* Answers of policy programs: whatever they say, what is made of it is one line of a
   reply with a code, one header field, an address that fits into an envelope, or a
   variable with a proper name; and each line is taken once.
   SPDX-License-Identifier: ISC */
#include "mail/plugin_answer.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "mail/smtp_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check(bool truth)
{
	if (!truth) __builtin_trap();
}

static void check_reply(const struct str *reply, const char *first,
			char separator)
{
	check(reply->length >= 4 && reply->length <= SMTP_REPLY_LIMIT);
	check(strchr(first, reply->data[0]) != NULL);
	check(reply->data[3] == separator);
	for (size_t i = 0; i < reply->length; i++)
		check(reply->data[i] >= ' ' && reply->data[i] <= '~');
}

static void check_text(enum plugin_order order, const struct str *text)
{
	switch (order) {
	case PLUGIN_ADD_FIELD:
		check(memchr(text->data, ':', text->length) != NULL);
		check(text->length <= PLUGIN_FIELD_LIMIT);
		check(strcspn(text->data, "\r\n") == text->length);
		break;
	case PLUGIN_CHANGE_ADDRESS:
		check(text->length < ADDRESS_LIMIT);
		if (text->length) check(strlen(text->data) == text->length);
		break;
	case PLUGIN_SET:
		check(strlen(text->data) == text->length);
		check(strcspn(text->data, "=") > 0);
		break;
	case PLUGIN_UNSET:
		check(strlen(text->data) == text->length);
		check(!strchr(text->data, '='));
		break;
	case PLUGIN_PRINT: check_reply(text, "2345", '-'); break;
	case PLUGIN_REFUSE:
	case PLUGIN_HANG_UP:
	case PLUGIN_REFUSE_MAIL:
	case PLUGIN_REFUSE_RCPT:
	case PLUGIN_REFUSE_DATA: check_reply(text, "45", ' '); break;
	case PLUGIN_NOTHING:
	case PLUGIN_BAD:
	case PLUGIN_STOP_ALL:
	case PLUGIN_NEXT:
	case PLUGIN_ACCEPT:
	case PLUGIN_DROP:
	default: break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	char *copy = malloc(length + 1);
	const char *at = copy, *end, *before = copy;
	enum plugin_order order;
	struct str text = { 0 };

	if (length) memcpy(copy, bytes, length);
	end = copy + length;
	while ((order = plugin_answer_next(&at, end, &text)) !=
	       PLUGIN_NOTHING) {
		check(at > before && at <= end);
		before = at;
		check_text(order, &text);
	}
	check(at == end);
	str_free(&text);
	free(copy);
	return 0;
}
