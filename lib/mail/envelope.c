/* SPDX-License-Identifier: ISC */
#include "mail/envelope.h"

#include <string.h>

static void add_record(struct str *envelope, char type, const char *address)
{
	str_append_byte(envelope, type);
	str_append(envelope, address, strlen(address) + 1);
}

void envelope_start(struct str *envelope, const char *sender)
{
	str_clear(envelope);
	add_record(envelope, 'F', sender);
}

void envelope_add(struct str *envelope, const char *recipient)
{
	add_record(envelope, 'T', recipient);
}

void envelope_end(struct str *envelope)
{
	str_append_byte(envelope, '\0');
}

/* The bytes of the record at `bytes`, its NUL included; 0 when it is cut. */
static size_t record_length(const char *bytes, size_t length)
{
	const char *end = memchr(bytes, '\0', length);

	return end ? (size_t)(end - bytes) + 1 : 0;
}

enum envelope_state envelope_parse(const char *bytes, size_t length,
				   struct envelope *envelope)
{
	size_t at = 0;

	*envelope = (struct envelope){ 0 };
	for (char type = 'F';; type = 'T') {
		size_t record;

		if (at == length) return ENVELOPE_CUT;
		if (type == 'T' && bytes[at] == '\0') break;
		if (bytes[at] != type) return ENVELOPE_BAD;
		record = record_length(bytes + at, length - at);
		if ((record ? record : length - at) >
		    ENVELOPE_ADDRESS_LIMIT + 1)
			return ENVELOPE_TOO_LONG;
		if (!record) return ENVELOPE_CUT;
		if (type == 'F') envelope->sender = bytes + at + 1;
		else envelope->recipient_count++;
		at += record;
		if (type == 'F') envelope->recipients = bytes + at;
	}
	return at + 1 == length ? ENVELOPE_WHOLE : ENVELOPE_BAD;
}

const char *envelope_next(const struct envelope *envelope,
			  const char *recipient)
{
	const char *record = recipient ? recipient + strlen(recipient) + 1
				       : envelope->recipients;

	return *record == 'T' ? record + 1 : NULL;
}
