/* SPDX-License-Identifier: ISC */
#include "limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/parse.h"
#include "base/str.h"
#include "mail/rules.h"

static const char *const names[LIMIT_KINDS] = {
	[LIMIT_LOAD] = "MAXLOAD",          [LIMIT_ADDRESS] = "MAXCONNIP",
	[LIMIT_NETWORK] = "MAXCONNC",      [LIMIT_ADDRESS_RATE] = "MAXRATEIP",
	[LIMIT_NETWORK_RATE] = "MAXRATEC",
};

static const char text_name[] = "DIEMSG"; /* "DIEMSG_MAXLOAD" … */

enum {
	TEXT_FOR_ALL = LIMIT_KINDS,
	MOST_RATES = 1 << 20, /* addresses, and as many networks: 80 MB */
	LOAD_IS_GOOD_FOR_MS = 1000,
	VALUE_SHOWN = 64, /* bytes of a wrong one */
};

/* Settings. */

static void complain(struct limits *limits, enum limit limit, const char *value,
		     const char *what)
{
	char shown[VALUE_SHOWN];

	if (limits->complained_of[limit]) return;
	limits->complained_of[limit] = true;
	if (limits->settings->verbosity == QUIET) return;
	warn("%s %s %s", names[limit],
	     printable_text(shown, sizeof shown, value), what);
}

/* As in every version of the patch the leading digits count; but what has none
   is no limit, where it used to be 0, which refuses everybody. */
static void set_number(struct limits *limits, struct limit_values *values,
		       enum limit limit, const char *value)
{
	unsigned long *number = &values->number[limit];

	values->is_set[limit] = parse_leading_number(value, number);
	if (!values->is_set[limit]) {
		if (*value) complain(limits, limit, value, "is no number");
		return;
	}
	if (value[strspn(value, "0123456789")])
		complain(limits, limit, value, "counts up to its last digit");
}

/* The limit with this name, or LIMIT_KINDS. */
static enum limit limit_named(const char *name, size_t length)
{
	enum limit limit = LIMIT_LOAD;

	while (limit < LIMIT_KINDS && (strlen(names[limit]) != length ||
				       memcmp(names[limit], name, length) != 0))
		limit++;
	return limit;
}

static void set_text(struct limit_values *values, const char *name,
		     size_t length, const char *value)
{
	size_t used = sizeof text_name - 1;
	enum limit limit;

	if (length == used) values->text[TEXT_FOR_ALL] = value;
	if (length <= used || name[used] != '_') return;
	limit = limit_named(name + used + 1, length - used - 1);
	if (limit < LIMIT_KINDS) values->text[limit] = value;
}

static void set_value(struct limits *limits, struct limit_values *values,
		      const char *name, size_t length, const char *value)
{
	enum limit limit;

	if (strncmp(name, text_name, sizeof text_name - 1) == 0) {
		set_text(values, name, length, value);
		return;
	}
	limit = limit_named(name, length);
	if (limit < LIMIT_KINDS) set_number(limits, values, limit, value);
}

static void read_rule(struct limits *limits, struct limit_values *values,
		      const char *rule, size_t length)
{
	size_t at = 0;
	const char *item;

	while ((item = rules_next_item(rule, length, &at))) {
		const char *end;

		if (item[0] != '+' || (item[1] != 'M' && item[1] != 'D'))
			continue;
		end = strchr(item, '=');
		if (end)
			set_value(limits, values, item + 1,
				  (size_t)(end - item - 1), end + 1);
	}
}

static void read_environment(struct limits *limits)
{
	struct limit_values *values = &limits->defaults;
	const char *value;

	for (enum limit limit = LIMIT_LOAD; limit < LIMIT_KINDS; limit++) {
		char name[32];

		value = getenv(names[limit]);
		if (value) set_number(limits, values, limit, value);
		stpcpy(stpcpy(stpcpy(name, text_name), "_"), names[limit]);
		values->text[limit] = getenv(name);
	}
	values->text[TEXT_FOR_ALL] = getenv(text_name);
}

static unsigned read_length(const struct settings *settings, const char *name,
			    unsigned most, unsigned usual)
{
	char shown[VALUE_SHOWN];
	const char *value = getenv(name);
	unsigned long length;

	if (!value || !*value) return usual;
	if (parse_number(value, 0, most, &length) == 0) return (unsigned)length;
	if (settings->verbosity == QUIET) exit(EXIT_NEVER);
	die_permanent("%s is a number from 0 to %u, not %s", name, most,
		      printable_text(shown, sizeof shown, value));
}

/* Where memory is limited, half of it stays for the rest of the program: to be
   short of memory may only make the limits forgetful. */
static size_t rates_that_fit(void)
{
	struct rlimit space = { .rlim_cur = RLIM_INFINITY };
	struct rlimit data = { .rlim_cur = RLIM_INFINITY };
	rlim_t rates;

	(void)getrlimit(RLIMIT_AS, &space);
	(void)getrlimit(RLIMIT_DATA, &data);
	if (data.rlim_cur < space.rlim_cur) space = data;
	rates = space.rlim_cur / 4 / TALLY_BYTES;
	return rates < MOST_RATES ? (size_t)rates : MOST_RATES;
}

void limits_prepare(struct limits *limits, const struct settings *settings)
{
	size_t rates = rates_that_fit(), sessions = settings->limit;
	unsigned ip4, c4, ip6, c6;

	*limits = (struct limits){ .settings = settings };
	read_environment(limits);
	ip4 = read_length(settings, "LIMIT_PREFIX_IP4", 32, 32);
	c4 = read_length(settings, "LIMIT_PREFIX_C4", 32, 24);
	ip6 = read_length(settings, "LIMIT_PREFIX_IP6", 128, 64);
	c6 = read_length(settings, "LIMIT_PREFIX_C6", 128, 48);
	if (tally_open(&limits->addresses, ip4, ip6, sessions, rates) == 0 &&
	    tally_open(&limits->networks, c4, c6, sessions, rates) == 0)
		return;
	if (settings->verbosity == QUIET) exit(EXIT_TRY_AGAIN);
	if (errno == ENOMEM)
		die_temporary("out of memory for MAXCONNIP tracking");
	die_temporary("unable to get random numbers:");
}

/* Judging. */

static void look_at_clock(struct limits *limits)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	limits->now = (long long)at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

/* In hundredths; 0 when the system does not say. The kernel counts it anew
   every five seconds. */
static unsigned long load_now(struct limits *limits)
{
	double load;

	if (limits->load_is_known &&
	    limits->now - limits->load_read_at < LOAD_IS_GOOD_FOR_MS)
		return limits->load;
	limits->load = 0;
	if (getloadavg(&load, 1) == 1 && load > 0)
		limits->load = (unsigned long)(load * 100);
	limits->load_is_known = true;
	limits->load_read_at = limits->now;
	return limits->load;
}

static bool has_too_many(const struct limit_values *values, enum limit limit,
			 const struct tally *tally, const struct net_ip *ip)
{
	return values->is_set[limit] &&
	       tally_sessions(tally, ip) >= values->number[limit];
}

static bool comes_too_often(const struct limits *limits,
			    const struct limit_values *values, enum limit limit,
			    const struct tally *tally, const struct net_ip *ip)
{
	return values->is_set[limit] &&
	       !tally_rate_allows(tally, ip, values->number[limit],
				  limits->now);
}

static bool load_is_too_high(struct limits *limits,
			     const struct limit_values *values)
{
	return values->is_set[LIMIT_LOAD] && values->number[LIMIT_LOAD] > 0 &&
	       load_now(limits) > values->number[LIMIT_LOAD];
}

/* The limit that refuses the client, or LIMIT_KINDS. Where both the network
   and the address have too many, the address is named. */
static enum limit find_limit(struct limits *limits,
			     const struct limit_values *values,
			     const struct net_ip *ip, bool denied)
{
	const struct tally *addresses = &limits->addresses;
	const struct tally *networks = &limits->networks;

	if (load_is_too_high(limits, values)) return LIMIT_LOAD;
	if (denied) return LIMIT_KINDS;
	if (has_too_many(values, LIMIT_ADDRESS, addresses, ip))
		return LIMIT_ADDRESS;
	if (has_too_many(values, LIMIT_NETWORK, networks, ip))
		return LIMIT_NETWORK;
	if (comes_too_often(limits, values, LIMIT_ADDRESS_RATE, addresses, ip))
		return LIMIT_ADDRESS_RATE;
	if (comes_too_often(limits, values, LIMIT_NETWORK_RATE, networks, ip))
		return LIMIT_NETWORK_RATE;
	return LIMIT_KINDS;
}

/* Who is refused uses up nothing, so who is told to come back later can. */
static void count_for_rates(struct limits *limits,
			    const struct limit_values *values,
			    const struct net_ip *ip)
{
	if (values->is_set[LIMIT_ADDRESS_RATE])
		tally_rate_count(&limits->addresses, ip,
				 values->number[LIMIT_ADDRESS_RATE],
				 limits->now);
	if (values->is_set[LIMIT_NETWORK_RATE])
		tally_rate_count(&limits->networks, ip,
				 values->number[LIMIT_NETWORK_RATE],
				 limits->now);
}

static const char *text_for(const struct limit_values *values, enum limit limit)
{
	const char *text = limit < LIMIT_KINDS ? values->text[limit] : NULL;

	return text && *text ? text : values->text[TEXT_FOR_ALL];
}

struct refusal limits_judge(struct limits *limits, const struct net_ip *ip,
			    const char *rule, size_t rule_length, bool denied)
{
	struct limit_values values = limits->defaults;
	struct refusal refusal = { .name = NULL };
	enum limit limit;

	read_rule(limits, &values, rule, rule_length);
	if (values.is_set[LIMIT_LOAD] || values.is_set[LIMIT_ADDRESS_RATE] ||
	    values.is_set[LIMIT_NETWORK_RATE])
		look_at_clock(limits);
	limit = find_limit(limits, &values, ip, denied);
	if (limit == LIMIT_KINDS && !denied) {
		count_for_rates(limits, &values, ip);
		return refusal;
	}
	refusal.text = text_for(&values, limit);
	if (limit == LIMIT_KINDS) return refusal;
	refusal.name = names[limit];
	refusal.number =
		limit == LIMIT_LOAD ? limits->load : values.number[limit];
	return refusal;
}

void limits_session_begins(struct limits *limits, const struct net_ip *ip)
{
	(void)tally_begin(&limits->addresses, ip, limits->now);
	(void)tally_begin(&limits->networks, ip, limits->now);
}

void limits_session_ends(struct limits *limits, const struct net_ip *ip)
{
	tally_end(&limits->addresses, ip, limits->now);
	tally_end(&limits->networks, ip, limits->now);
}

/* The restart: of each table, the number of its rates and the rates. */

enum { RATES_AT_ONCE = 128 };

static int write_all(int fd, const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length > 0) {
		ssize_t written = write(fd, at, length);

		if (written < 0 && errno == EINTR) continue;
		if (written < 0) return -1;
		at += written;
		length -= (size_t)written;
	}
	return 0;
}

static int read_all(int fd, void *bytes, size_t length)
{
	char *at = bytes;

	while (length > 0) {
		ssize_t got = read(fd, at, length);

		if (got < 0 && errno == EINTR) continue;
		if (got == 0) errno = EPROTO;
		if (got <= 0) return -1;
		at += got;
		length -= (size_t)got;
	}
	return 0;
}

static int save_rates(const struct tally *tally, long long now, int fd)
{
	struct tally_rate rates[RATES_AT_ONCE] = { 0 };
	size_t at = 0, left = 0;

	while (tally_next_rate(tally, &at, now, &rates[0])) left++;
	if (write_all(fd, &left, sizeof left) < 0) return -1;
	at = 0;
	while (left > 0) {
		size_t count = left < RATES_AT_ONCE ? left : RATES_AT_ONCE;

		for (size_t i = 0; i < count; i++)
			tally_next_rate(tally, &at, now, &rates[i]);
		if (write_all(fd, rates, count * sizeof *rates) < 0) return -1;
		left -= count;
	}
	return 0;
}

static int load_rates(struct tally *tally, long long now, int fd)
{
	struct tally_rate rates[RATES_AT_ONCE];
	size_t left;

	if (read_all(fd, &left, sizeof left) < 0) return -1;
	while (left > 0) {
		size_t count = left < RATES_AT_ONCE ? left : RATES_AT_ONCE;

		if (read_all(fd, rates, count * sizeof *rates) < 0) return -1;
		for (size_t i = 0; i < count; i++)
			tally_restore_rate(tally, &rates[i], now);
		left -= count;
	}
	return 0;
}

int limits_save(struct limits *limits, int fd)
{
	look_at_clock(limits);
	if (save_rates(&limits->addresses, limits->now, fd) < 0) return -1;
	return save_rates(&limits->networks, limits->now, fd);
}

int limits_load(struct limits *limits, int fd)
{
	look_at_clock(limits);
	if (load_rates(&limits->addresses, limits->now, fd) < 0) return -1;
	return load_rates(&limits->networks, limits->now, fd);
}
