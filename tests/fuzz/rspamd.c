/* An answer of rspamd, as it comes and as what stands behind a header of HTTP: what
   it orders leaves the message a message with the same body, whose fields are
   counted alike by whoever reads it next, and the envelope an envelope.
   SPDX-License-Identifier: ISC */
#include "mail/rspamd.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static char message[] = "Received: a\n by b\nSubject: c\nX-Spam: no\n\nbody\n";
static const char envelope_bytes[] = "Fa@b\0Tc@d\0Tg@h\0";

static bool take(struct header_edit *edit, char *bytes, size_t length)
{
	struct stage_message whole = { .bytes = bytes,
				       .size = length,
				       .fd = -1 };

	return header_edit_take(edit, &whole) == HEADER_EDIT_READY;
}

static void check_header(const struct rspamd_reply *reply, const char *mark)
{
	struct header_edit edit = { 0 }, again = { 0 };
	struct str after = { 0 };
	size_t cut, count;

	if (!take(&edit, message, sizeof message - 1)) __builtin_trap();
	rspamd_edit_header(reply, &edit, mark);
	header_edit_finish(&edit, &cut);
	str_append(&after, edit.text.data, edit.text.length);
	str_append(&after, message + cut, sizeof message - 1 - cut);
	if (memchr(after.data, '\r', after.length) ||
	    !strstr(after.data, "\n\nbody\n"))
		if (memcmp(after.data, "\nbody\n", 6) != 0) __builtin_trap();
	if (take(&again, after.data, after.length)) {
		count = header_edit_remove(&again, "*", HEADER_ALL);
		if (count > 3 + RSPAMD_EDITS || again.text.length > 0)
			__builtin_trap();
	}
	str_free(&again.text);
	str_free(&after);
	str_free(&edit.text);
}

static void check_envelope(const struct rspamd_reply *reply)
{
	struct envelope before, after;
	struct str changed = { 0 };

	if (envelope_parse(envelope_bytes, sizeof envelope_bytes, &before) !=
	    ENVELOPE_WHOLE)
		__builtin_trap();
	rspamd_edit_envelope(reply, &before, &changed);
	if (envelope_parse(changed.data, changed.length, &after) !=
		    ENVELOPE_WHOLE ||
	    after.recipient_count > 2 + RSPAMD_RECIPIENTS)
		__builtin_trap();
	str_free(&changed);
}

static void check(const char *bytes, size_t length)
{
	struct rspamd_reply reply;

	/* Once all is there, more changes nothing of that. */
	if (length > 0 && rspamd_is_whole(bytes, length - 1) &&
	    !rspamd_is_whole(bytes, length))
		__builtin_trap();
	if (!rspamd_parse(bytes, length, &reply)) {
		if (!reply.text[0] || reply.json) __builtin_trap();
		for (const char *at = reply.text; *at; at++)
			if (*at < ' ' || *at > '~') __builtin_trap();
		return;
	}
	check_header(&reply, NULL);
	check_header(&reply, "X-Spam");
	check_envelope(&reply);
	rspamd_free(&reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct str answer = { 0 };

	check((const char *)bytes, length);
	str_append_text(&answer, "HTTP/1.1 200 OK\r\n\r\n");
	str_append(&answer, bytes, length);
	check(answer.data, answer.length);
	str_free(&answer);
	return 0;
}
