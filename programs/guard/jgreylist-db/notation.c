/* SPDX-License-Identifier: ISC */
#include "notation.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

/* TAI64 counts from 1970 TAI, with an offset of 2^62. Ten seconds is what the
   family of daemontools takes for the difference to UTC, then and now. */
static const uint64_t tai_of_1970 = (UINT64_C(1) << 62) + 10;

enum { LABEL_DIGITS = 16, NANOSECOND_DIGITS = 8 };

/* The year 9999 ends here; file systems and clocks end before. */
static const unsigned long last_second = 253402300799UL;

const char *notation_of_key(const struct greylist_key *key,
			    char text[NOTATION_NETWORK])
{
	return net_ip_format_network(&key->network, key->bits, text);
}

const char *notation_of_time(time_t time, enum notation notation,
			     char text[NOTATION_TIME])
{
	struct tm local;

	if (notation == LOCAL_TIME && localtime_r(&time, &local) &&
	    strftime(text, NOTATION_TIME, "%Y-%m-%dT%H:%M:%S%z", &local) > 0)
		return text;
	/* A file can have times that no contact has. */
	if (time < 0) time = 0;
	if (time > (time_t)last_second) time = (time_t)last_second;
	snprintf(text, NOTATION_TIME, "@%016" PRIx64 "00000000",
		 tai_of_1970 + (uint64_t)time);
	return text;
}

static int read_network(const char *text, const char *slash,
			struct greylist_key *key)
{
	size_t length = (size_t)(slash - text);
	char address[NET_IP_TEXT];
	unsigned long bits;
	unsigned whole;

	if (length >= sizeof address) return -1;
	memcpy(address, text, length);
	address[length] = '\0';
	if (net_ip_parse(address, &key->network) < 0) return -1;
	whole = net_ip_bits(key->network.family);
	if (parse_number(slash + 1, 0, whole, &bits) < 0) return -1;
	if (bits != whole && bits != (whole == 32 ? 24 : 64)) return -1;
	key->bits = (unsigned)bits;
	return net_ip_mask(&key->network, key->bits) ? -1 : 0;
}

int notation_read_key(const char *text, enum greylist_unit unit,
		      struct greylist_key *key)
{
	const char *slash = strchr(text, '/');

	if (slash) return read_network(text, slash, key);
	return greylist_key_of_client(text, unit, key);
}

static int read_label(const char *digits, time_t *time)
{
	static const char hexadecimal[] = "0123456789abcdef";
	size_t length = strspn(digits, hexadecimal);
	uint64_t label = 0;

	if (digits[length] || (length != LABEL_DIGITS &&
			       length != LABEL_DIGITS + NANOSECOND_DIGITS))
		return -1;
	for (size_t i = 0; i < LABEL_DIGITS; i++)
		label = label * 16 + (uint64_t)(strchr(hexadecimal, digits[i]) -
						hexadecimal);
	if (label < tai_of_1970 || label - tai_of_1970 > last_second) return -1;
	*time = (time_t)(label - tai_of_1970);
	return 0;
}

int notation_read_time(const char *text, time_t *time)
{
	unsigned long seconds;

	if (*text == '@') return read_label(text + 1, time);
	if (parse_number(text, 0, last_second, &seconds) < 0) return -1;
	*time = (time_t)seconds;
	return 0;
}
