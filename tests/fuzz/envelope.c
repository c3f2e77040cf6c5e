/* Envelopes: a whole one is just what writing its parts gives again, and a cut
   one never counts as whole.
   SPDX-License-Identifier: ISC */
#include "mail/envelope.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct str again;
	struct envelope envelope, cut;
	const char *recipient = NULL;
	size_t count = 0;

	if (envelope_parse((const char *)bytes, length, &envelope) !=
	    ENVELOPE_WHOLE)
		return 0;
	envelope_start(&again, envelope.sender);
	while ((recipient = envelope_next(&envelope, recipient))) {
		if (strlen(recipient) >= ENVELOPE_ADDRESS_LIMIT)
			__builtin_trap();
		envelope_add(&again, recipient);
		count++;
	}
	envelope_end(&again);
	if (count != envelope.recipient_count) __builtin_trap();
	if (again.length != length || memcmp(again.data, bytes, length) != 0)
		__builtin_trap();
	if (envelope_parse((const char *)bytes, length - 1, &cut) !=
	    ENVELOPE_CUT)
		__builtin_trap();
	return 0;
}
