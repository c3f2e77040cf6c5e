/* SPDX-License-Identifier: ISC */
#include "mail/greylist.h"

#include <stdlib.h>
#include <string.h>

enum { DEFAULT_HOLD_SECONDS = 120 };

long greylist_number(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtol(text, NULL, 10) : otherwise;
}

const char *greylist_text(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static bool is_word(const char *name, const char *word)
{
	const char *value = getenv(name);

	return value && strcmp(value, word) == 0;
}

bool greylist_fails_closed(void)
{
	return is_word("JGREYLIST_FAIL", "tempfail");
}

enum greylist_rule greylist_rule_from_environment(void)
{
	const char *listed = getenv("JGREYLIST");

	if (listed)
		return *listed ? GREYLIST_BLACKLISTED : GREYLIST_WHITELISTED;
	if (getenv("RELAYCLIENT")) return GREYLIST_RELAY_CLIENT;
	if (greylist_text("JGREYLIST_NOREV") && !greylist_text("TCPREMOTEHOST"))
		return GREYLIST_NO_REVERSE_NAME;
	if (is_word("JGREYLIST_ONLY", "doubt") &&
	    !greylist_text("JGREYLIST_DOUBT"))
		return GREYLIST_NOT_IN_DOUBT;
	return GREYLIST_STORE;
}

const char *greylist_rule_text(enum greylist_rule rule)
{
	static const char *const texts[] = {
		[GREYLIST_WHITELISTED] = "OK whitelisted",
		[GREYLIST_BLACKLISTED] = "DENY blacklisted",
		[GREYLIST_RELAY_CLIENT] = "OK relay client",
		[GREYLIST_NO_REVERSE_NAME] = "DENY no reverse DNS",
		[GREYLIST_NOT_IN_DOUBT] = "OK not in doubt",
	};

	return texts[rule];
}

const char *greylist_state_text(enum greylist_state state)
{
	switch (state) {
	case GREYLIST_FIRST: return "GREY first time";
	case GREYLIST_TOO_SOON: return "GREY too soon";
	case GREYLIST_KNOWN: return "OK known";
	case GREYLIST_FAILED: break;
	}
	return greylist_fails_closed() ? "GREY store failed"
				       : "OK store failed";
}

struct greylist_settings greylist_settings_from_environment(void)
{
	long hold = greylist_number("JGREYLIST_HOLDTIME", DEFAULT_HOLD_SECONDS);
	bool by_ip = greylist_number("JGREYLIST_BY_IP", 0) != 0;
	struct greylist_settings settings = {
		.folder = getenv("JGREYLIST_DIR"),
		.unit = by_ip ? GREYLIST_BY_ADDRESS : GREYLIST_BY_NETWORK,
		.hold_seconds = hold > 0 ? (unsigned long)hold : 0,
	};

	if (settings.folder && !*settings.folder) settings.folder = NULL;
	return settings;
}

struct greylist_key greylist_key_of_ip(const struct net_ip *ip,
				       enum greylist_unit unit)
{
	struct greylist_key key = { .network = *ip,
				    .bits = net_ip_bits(ip->family) };

	if (unit == GREYLIST_BY_ADDRESS) return key;
	key.bits = ip->family == NET_IPV4 ? 24 : 64;
	net_ip_mask(&key.network, key.bits);
	return key;
}

int greylist_key_of_client(const char *remote_ip, enum greylist_unit unit,
			   struct greylist_key *key)
{
	const char *scope = strchr(remote_ip, '%');
	size_t length = scope ? (size_t)(scope - remote_ip) : strlen(remote_ip);
	char text[NET_IP_TEXT];
	struct net_ip ip;

	if (length >= sizeof text) return -1;
	memcpy(text, remote_ip, length);
	text[length] = '\0';
	if (scope && !strchr(text, ':')) return -1;
	if (net_ip_parse(text, &ip) < 0) return -1;
	*key = greylist_key_of_ip(&ip, unit);
	return 0;
}

static char *put_decimal(char *at, unsigned number)
{
	*at++ = (char)('0' + number / 100);
	*at++ = (char)('0' + number / 10 % 10);
	*at++ = (char)('0' + number % 10);
	return at;
}

static char *put_hexadecimal(char *at, const unsigned char *bytes, size_t count)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < count; i++) {
		*at++ = digits[bytes[i] >> 4];
		*at++ = digits[bytes[i] & 15];
	}
	return at;
}

const char *greylist_key_path(const struct greylist_key *key,
			      char path[GREYLIST_PATH])
{
	const unsigned char *bytes = key->network.bytes;
	char *at = path;

	if (key->network.family == NET_IPV6) {
		at = put_hexadecimal(at, bytes, 2);
		*at++ = '/';
		at = put_hexadecimal(at, bytes + 2, 6);
		if (key->bits > 64) {
			*at++ = '-';
			at = put_hexadecimal(at, bytes + 8, 8);
		}
	} else {
		for (size_t i = 0; i < key->bits / 8; i++) {
			if (i > 0) *at++ = '/';
			at = put_decimal(at, bytes[i]);
		}
	}
	*at = '\0';
	return path;
}

/* The value of up to three digits, or of the two of a byte; what is no digit
   gives some other number, which has another name. */
static unsigned take_number(const char **at, unsigned base, size_t digits)
{
	unsigned number = 0;

	for (; digits > 0 && **at; digits--, ++*at) {
		unsigned char c = (unsigned char)**at;

		number = number * base +
			 (c >= 'a' ? c - 'a' + 10U : c - (unsigned)'0');
	}
	return number;
}

int greylist_key_of_path(const char *path, struct greylist_key *key)
{
	bool is_ipv6 = strcspn(path, "/") == 4;
	struct net_ip ip = { .family = is_ipv6 ? NET_IPV6 : NET_IPV4 };
	unsigned most_bits = net_ip_bits(ip.family), bits = 0;
	char canonical[GREYLIST_PATH];
	const char *at = path;

	while (*at && bits < most_bits) {
		if (*at == '/' || *at == '-') at++;
		ip.bytes[bits / 8] =
			(unsigned char)(is_ipv6 ? take_number(&at, 16, 2)
						: take_number(&at, 10, 3));
		bits += 8;
	}
	*key = (struct greylist_key){ ip, bits };
	/* Every byte of the name is accounted for when it comes back whole. */
	if (bits != most_bits && bits != (is_ipv6 ? 64 : 24)) return -1;
	return strcmp(greylist_key_path(key, canonical), path) == 0 ? 0 : -1;
}

enum greylist_state greylist_state(time_t first, unsigned long hold_seconds,
				   time_t now)
{
	unsigned long age = now > first ? (unsigned long)(now - first) : 0;

	return age >= hold_seconds ? GREYLIST_KNOWN : GREYLIST_TOO_SOON;
}

bool greylist_has_passed(const struct greylist_entry *entry,
			 unsigned long hold_seconds)
{
	return greylist_state(entry->first, hold_seconds, entry->last) ==
	       GREYLIST_KNOWN;
}
