/* SPDX-License-Identifier: ISC */
#include "reason.h"

#include <openssl/err.h>

#include "base/message.h"

const char *reason_take(void)
{
	unsigned long error = ERR_peek_last_error();
	const char *words;

	ERR_clear_error();
	if (ERR_SYSTEM_ERROR(error)) return error_text(ERR_GET_REASON(error));
	words = ERR_reason_error_string(error);
	return words ? words : "unknown error";
}
