/* The trace fields that we write, and the count of those that came.
   SPDX-License-Identifier: ISC */
#include "mail/header.h"

#include <string.h>

#include "tap.h"

static const struct {
	const char *message;
	unsigned hops;
} messages[] = {
	{ "Received: a\nReceived: b\n\nReceived: c\n", 2 },
	{ "RECEIVED\ndelivered-to: x\nDelivered\n", 3 },
	{ "Received-SPF: x\n", 1 },
	{ "X-Received: x\n Received: y\nReceive: z\n", 0 },
	{ "\nReceived: a\n", 0 },
	{ "Subject: a long line, longer than a name\nReceived: a\n", 1 },
	{ "Received", 1 },
	{ "Receive", 0 },
	{ "", 0 },
};

static unsigned count(const char *message, size_t piece)
{
	struct header_hops hops = { 0 };
	size_t length = strlen(message);

	for (size_t at = 0; at < length; at += piece)
		header_count_hops(&hops, message + at,
				  length - at < piece ? length - at : piece);
	return hops.count;
}

int main(void)
{
	struct str s = { 0 };

	for (size_t i = 0; i < sizeof messages / sizeof *messages; i++)
		for (size_t piece = 1; piece < 12; piece++)
			is_number(count(messages[i].message, piece),
				  messages[i].hops, "hops in every cut");
	header_append_date(&s, 812090814);
	is_text(s.data, "26 Sep 1995 04:46:54 -0000", "a date");
	str_clear(&s);
	header_append_date(&s, 0);
	is_text(s.data, "1 Jan 1970 00:00:00 -0000", "no zero before the day");
	str_clear(&s);
	header_append_safe(&s, "a.B-9@[x]%+/=:)\r\n \xe4_");
	is_text(s.data, "a.B-9@[x]%+/=:??????", "odd bytes are marked");
	str_clear(&s);
	header_append_safe(&s, NULL);
	is_text(s.data, "unknown", "nothing known");
	str_free(&s);
	return done_testing();
}
