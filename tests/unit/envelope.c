/* Envelopes: written, read, cut and bad ones.
   SPDX-License-Identifier: ISC */
#include "mail/envelope.h"

#include <string.h>

#include "tap.h"

static void write_and_read(void)
{
	static const char wanted[] = "Fa@b\0Tc@d\0Te f@g\0";
	struct str bytes = { 0 };
	struct envelope envelope;
	const char *at;

	envelope_start(&bytes, "a@b");
	envelope_add(&bytes, "c@d");
	envelope_add(&bytes, "e f@g");
	for (size_t n = 0; n <= bytes.length; n++)
		if (envelope_parse(bytes.data, n, &envelope) != ENVELOPE_CUT)
			break;
		else if (n == bytes.length)
			ok(true, "without its end it is cut, wherever");
	envelope_end(&bytes);
	is_bytes(bytes.data, bytes.length, wanted, sizeof wanted, "written");
	is_number(envelope_parse(bytes.data, bytes.length, &envelope),
		  ENVELOPE_WHOLE, "whole");
	is_text(envelope.sender, "a@b", "the sender");
	is_number((long long)envelope.recipient_count, 2, "two recipients");
	at = envelope_next(&envelope, NULL);
	is_text(at, "c@d", "the first");
	at = envelope_next(&envelope, at);
	is_text(at, "e f@g", "the second");
	ok(envelope_next(&envelope, at) == NULL, "and no other");
	str_append_byte(&bytes, 'x');
	is_number(envelope_parse(bytes.data, bytes.length, &envelope),
		  ENVELOPE_BAD, "a byte behind its end");
	envelope_start(&bytes, "");
	envelope_end(&bytes);
	is_number(envelope_parse(bytes.data, bytes.length, &envelope),
		  ENVELOPE_WHOLE, "a bounce to nobody");
	is_text(envelope.sender, "", "has no sender");
	ok(envelope_next(&envelope, NULL) == NULL, "and no recipient");
	str_free(&bytes);
}

static enum envelope_state state_of(const char *bytes, size_t length)
{
	struct envelope envelope;

	return envelope_parse(bytes, length, &envelope);
}

static void refuse(void)
{
	struct str bytes = { 0 };
	char address[ENVELOPE_ADDRESS_LIMIT + 1];

	is_number(state_of("Xa\0\0", 4), ENVELOPE_BAD, "no F");
	is_number(state_of("Fa\0Xb\0\0", 7), ENVELOPE_BAD, "no T");
	is_number(state_of("Fa\0Fb\0\0", 7), ENVELOPE_BAD, "two senders");
	is_number(state_of("\0", 1), ENVELOPE_BAD, "the end alone");
	memset(address, 'a', sizeof address);
	address[ENVELOPE_ADDRESS_LIMIT - 1] = '\0';
	envelope_start(&bytes, address);
	envelope_end(&bytes);
	is_number(state_of(bytes.data, bytes.length), ENVELOPE_WHOLE,
		  "an address as long as the limit");
	address[ENVELOPE_ADDRESS_LIMIT - 1] = 'a';
	address[ENVELOPE_ADDRESS_LIMIT] = '\0';
	envelope_start(&bytes, address);
	is_number(state_of(bytes.data, bytes.length), ENVELOPE_TOO_LONG,
		  "one byte more");
	str_free(&bytes);
}

int main(void)
{
	write_and_read();
	refuse();
	return done_testing();
}
