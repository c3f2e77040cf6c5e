/* The table of addresses: what counts as one, sessions and rates against a
   plain model of them, memory that runs out, and what an address costs.
   SPDX-License-Identifier: ISC */
#include "system/tally.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#if defined __clang__
#define UNDER_SANITIZER __has_feature(address_sanitizer)
#elif defined __SANITIZE_ADDRESS__
#define UNDER_SANITIZER 1
#else
#define UNDER_SANITIZER 0
#endif

static struct net_ip ip_of(const char *text)
{
	struct net_ip ip;

	if (net_ip_parse(text, &ip) < 0) abort();
	return ip;
}

/* The even ones are IPv4 hosts, the odd ones IPv6 networks of /64. */
static struct net_ip ip_number(uint32_t number)
{
	struct net_ip ip = { .family = number % 2 ? NET_IPV6 : NET_IPV4 };
	unsigned char *at = ip.bytes;

	if (ip.family == NET_IPV6) {
		*at++ = 0x20;
		*at++ = 0x01;
	}
	at[0] = (unsigned char)(number >> 24);
	at[1] = (unsigned char)(number >> 16);
	at[2] = (unsigned char)(number >> 8);
	at[3] = (unsigned char)number;
	return ip;
}

static struct tally opened(size_t sessions, size_t rates)
{
	struct tally tally;

	if (tally_open(&tally, 32, 64, sessions, rates) < 0) abort();
	return tally;
}

static void test_what_is_one(void)
{
	static const struct {
		unsigned ipv4_length, ipv6_length;
		const char *a, *b;
		bool same;
	} rows[] = {
		{ 32, 64, "192.0.2.1", "192.0.2.1", true },
		{ 32, 64, "192.0.2.1", "::ffff:192.0.2.1", true },
		{ 32, 64, "192.0.2.1", "192.0.2.0", false },
		{ 24, 64, "192.0.2.1", "192.0.2.254", true },
		{ 24, 64, "192.0.2.1", "192.0.3.1", false },
		{ 23, 64, "192.0.2.1", "192.0.3.1", true },
		{ 23, 64, "192.0.3.1", "192.0.4.1", false },
		{ 1, 64, "192.0.3.1", "128.0.4.1", true },
		{ 1, 64, "192.0.3.1", "127.0.4.1", false },
		{ 0, 64, "192.0.3.1", "1.2.3.4", true },
		{ 32, 64, "2001:db8::1", "2001:db8::ffff:2", true },
		{ 32, 64, "2001:db8::1", "2001:db8:0:1::1", false },
		{ 32, 48, "2001:db8:0:1::", "2001:db8:0:ffff::1", true },
		{ 32, 48, "2001:db8:0:1::", "2001:db8:1:1::1", false },
		{ 32, 44, "2001:db8:0:1::", "2001:db8:f:1::1", true },
		{ 32, 44, "2001:db8:0:1::", "2001:db8:10:1::1", false },
		{ 32, 128, "2001:db8::1", "2001:db8::1", true },
		{ 32, 128, "2001:db8::1", "2001:db8::2", false },
		{ 32, 127, "2001:db8::2", "2001:db8::3", true },
		{ 32, 0, "2001:db8::2", "fe80::3", true },
		{ 0, 0, "2001:db8::2", "0.0.0.0", false },
		{ 0, 0, "::", "0.0.0.0", false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct net_ip a = ip_of(rows[i].a), b = ip_of(rows[i].b);
		struct tally tally;
		char name[200];

		if (tally_open(&tally, rows[i].ipv4_length, rows[i].ipv6_length,
			       10, 0) < 0)
			abort();
		tally_begin(&tally, &a, 0);
		snprintf(name, sizeof name, "/%u, /%u: %s and %s are %s",
			 rows[i].ipv4_length, rows[i].ipv6_length, rows[i].a,
			 rows[i].b, rows[i].same ? "one" : "two");
		is_number((long long)tally_sessions(&tally, &b), rows[i].same,
			  name);
		tally_close(&tally);
	}
}

static void test_sessions(void)
{
	enum { MANY = 100000 };
	struct tally tally = opened(MANY, 0);
	struct net_ip one = ip_number(7);
	bool all = true;

	is_number((long long)tally_sessions(&tally, &one), 0, "nobody yet");
	for (uint32_t round = 0; round < 2; round++)
		for (uint32_t i = 0; i < MANY; i++) {
			struct net_ip ip = ip_number(i);

			all &= tally_begin(&tally, &ip, 0);
		}
	ok(all, "100,000 addresses begin two sessions each");
	for (uint32_t i = 0; i < MANY; i++) {
		struct net_ip ip = ip_number(i);

		all &= tally_sessions(&tally, &ip) == 2;
		tally_end(&tally, &ip, 0);
		all &= tally_sessions(&tally, &ip) == 1;
	}
	ok(all, "each has two, and one when one has ended");
	is_number(tally.count, MANY, "and one place");
	for (uint32_t i = 0; i < MANY; i++) {
		struct net_ip ip = ip_number(i);

		tally_end(&tally, &ip, 0);
		tally_end(&tally, &ip, 0);
	}
	is_number(tally.count, 0, "nobody is left, nor less than nobody");
	is_number((long long)tally_sessions(&tally, &one), 0, "not even one");
	tally_close(&tally);
}

/* xorshift: the same row of numbers in each run. */
static uint32_t random_below(uint32_t limit)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % limit;
}

/* Sessions and rates in any order, against what an array counts. Most of the
   addresses do not fit besides those with sessions. */
static void test_against_model(void)
{
	enum { ADDRESSES = 20000, SESSIONS = 3000, STEPS = 400000 };
	static unsigned model[ADDRESSES];
	static uint32_t running[SESSIONS];
	struct tally tally = opened(SESSIONS, 0);
	uint32_t count = 0;
	bool begun = true, right = true;
	long long now = 1000;

	for (int step = 0; step < STEPS; step++) {
		uint32_t choice = random_below(4);
		uint32_t number = random_below(ADDRESSES);
		struct net_ip ip;

		now += random_below(3);
		if (choice == 0 && count < SESSIONS) {
			running[count++] = number;
			model[number]++;
		} else if (choice == 1 && count > 0) {
			uint32_t ended = random_below(count--);

			number = running[ended];
			running[ended] = running[count];
			model[number]--;
		} else {
			choice = 2;
		}
		ip = ip_number(number);
		if (choice == 0) begun &= tally_begin(&tally, &ip, now);
		else if (choice == 1) tally_end(&tally, &ip, now);
		else if (tally_rate_allows(&tally, &ip, 10, now))
			tally_rate_count(&tally, &ip, 10, now);
		right &= tally_sessions(&tally, &ip) == model[number];
	}
	ok(begun, "there is always room for a session");
	for (uint32_t i = 0; i < ADDRESSES; i++) {
		struct net_ip ip = ip_number(i);

		right &= tally_sessions(&tally, &ip) == model[i];
	}
	ok(right, "each address has as many sessions as an array counts");
	is_number(tally.chunk_count, 1, "in no more memory than at first");
	tally_close(&tally);
}

/* True, and counted, when one more may come. */
static bool comes(struct tally *tally, const struct net_ip *ip,
		  unsigned long share, long long now)
{
	bool allowed = tally_rate_allows(tally, ip, share, now);

	if (allowed) tally_rate_count(tally, ip, share, now);
	return allowed;
}

static const unsigned long shares[] = { 1, 2, 3, 7, 10, 30, 60, 77, 1000 };
enum { SHARES = sizeof shares / sizeof *shares };

/* Whoever tries at most `share` times in any minute: each try is a minute or
   more after the one `share` tries before. */
static void test_good_clients(void)
{
	struct tally tally = opened(10, 1000);
	bool always = true;

	for (uint32_t i = 0; i < SHARES; i++)
		for (uint32_t hurry = 0; hurry < 20; hurry++) {
			static long long tries[20000];
			struct net_ip ip = ip_number(i * 100 + hurry);
			long long now = 5000000 + random_below(60000);

			for (size_t try = 0; try < 20000; try++) {
				if (try > 0 && random_below(20) >= hurry)
					now += random_below(
						150000 / (uint32_t)shares[i]);
				if (try >= shares[i] &&
				    now < tries[try - shares[i]] + 60000)
					now = tries[try - shares[i]] + 60000;
				tries[try] = now;
				always &= comes(&tally, &ip, shares[i], now);
			}
		}
	ok(always, "who keeps to his share in any minute always gets in");
	tally_close(&tally);
}

static unsigned long flood(struct tally *tally, const struct net_ip *ip,
			   unsigned long share, long long begin)
{
	unsigned long in = 0;

	for (long long now = begin; now < begin + 60000; now++)
		for (int i = 0; i < 3; i++) in += comes(tally, ip, share, now);
	return in;
}

static void test_floods(void)
{
	struct tally tally = opened(10, 1000);

	for (uint32_t i = 0; i < SHARES; i++) {
		struct net_ip ip = ip_number(i);
		unsigned long share = shares[i];
		char name[100];
		bool each = true;

		snprintf(name, sizeof name,
			 "first minute of a flood, share %lu", share);
		is_number((long long)flood(&tally, &ip, share, 1000),
			  (long long)share * 2 - 1, name);
		for (long long m = 1; m < 5; m++)
			each &= flood(&tally, &ip, share, 1000 + m * 60000) ==
				share;
		snprintf(name, sizeof name, "later minutes, share %lu", share);
		ok(each, name);
	}
	tally_close(&tally);
}

static void test_shares(void)
{
	struct tally tally = opened(10, 1000);
	struct net_ip a = ip_number(1), b = ip_number(2);
	unsigned long in = 0;

	ok(!tally_rate_allows(&tally, &a, 0, 0), "a share of 0 lets nobody in");
	for (int i = 0; i < 1000000; i++)
		in += comes(&tally, &a, (unsigned long)-1, 5);
	is_number((long long)in, 1000000, "an endless share lets all in");
	for (in = 0; comes(&tally, &a, 100000, 5);) in++;
	is_number((long long)in, 100000, "a great share is kept to");
	ok(comes(&tally, &b, 1, 5), "another address has its own");
	ok(!tally_rate_allows(&tally, &b, 1, 60004), "a minute is not over");
	ok(tally_rate_allows(&tally, &b, 1, 60005), "until it is");
	ok(!tally_rate_allows(&tally, &b, 100, 5), "a whole share is whole");
	ok(comes(&tally, &b, 2, 30005), "half of it, half a minute later");
	ok(!comes(&tally, &b, 2, 60004), "the other half, not too early");
	ok(comes(&tally, &b, 2, 60005), "nor too late");
	tally_close(&tally);
}

static void test_clock(void)
{
	static const long long times[] = { 0, 1, 1LL << 31, 1LL << 32,
					   1LL << 42 };
	struct tally tally = opened(10, 1000);
	struct net_ip ip = ip_number(3);
	unsigned long in = 0;

	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		struct net_ip other = ip_number(100 + (uint32_t)i);

		in += flood(&tally, &other, 10, times[i] - 30000);
	}
	/* No time passes below 0: the first two have half of it. */
	is_number((long long)in, 14 + 15 + 3 * 19, "a flood at odd times");
	tally_begin(&tally, &ip, INT64_MAX);
	while (comes(&tally, &ip, 5, INT64_MAX)) {
	}
	ok(!comes(&tally, &ip, 5, 1000), "the clock was set back");
	tally_rate_count(&tally, &ip, 1000, 1000);
	ok(comes(&tally, &ip, 5, 1000 + 12000), "which is good for a minute");
	ok(!comes(&tally, &ip, 5, INT64_MIN), "it was not there at all");
	tally_end(&tally, &ip, INT64_MIN);
	is_number((long long)tally_sessions(&tally, &ip), 0, "he has left");
	tally_close(&tally);
}

static void test_idle(void)
{
	enum { MANY = 100000 };
	struct tally tally = opened(10, 1000000);
	uint32_t used;
	long long now = 1000;

	for (uint32_t i = 0; i < MANY; i++) {
		struct net_ip ip = ip_number(i);

		tally_rate_count(&tally, &ip, 10, now);
	}
	used = tally.used;
	is_number(used, MANY + 1, "100,000 addresses are known");
	now += 6000;
	for (uint32_t i = 0; i < MANY; i++) {
		struct net_ip ip = ip_number(MANY + i);

		tally_rate_count(&tally, &ip, 10, now);
	}
	is_number(tally.used, used, "when they are idle, others take over");
	is_number(tally.count, MANY, "and they are forgotten");

	/* 1,000 a second, each known for six. */
	for (uint32_t i = 0; i < 20 * MANY; i++) {
		struct net_ip ip = ip_number(2 * MANY + i);

		if (i % 1000 == 0) now += 1000;
		tally_rate_count(&tally, &ip, 10, now);
	}
	ok(tally.used < used + 6000, "who passes through leaves his place");
	tally_close(&tally);
}

/* The greatest users are remembered, whoever else comes. */
static void test_full(void)
{
	enum { FLOODERS = 50, OTHERS = 200000 };
	struct tally tally = opened(10, 0);
	long long now = 1000;
	int kept = 0, let_in = 0;

	for (uint32_t i = 0; i < FLOODERS; i++) {
		struct net_ip ip = ip_number(i);

		while (comes(&tally, &ip, 30, now)) {
		}
	}
	for (uint32_t i = 0; i < OTHERS; i++) {
		struct net_ip ip = ip_number(1000 + i);

		let_in += comes(&tally, &ip, 30, now);
	}
	for (uint32_t i = 0; i < FLOODERS; i++) {
		struct net_ip ip = ip_number(i);

		kept += !tally_rate_allows(&tally, &ip, 30, now);
	}
	is_number(let_in, OTHERS, "all that come for the first time get in");
	is_number(kept, FLOODERS, "and the flooders are not forgotten");
	is_number(tally.chunk_count, 1, "without more memory");
	tally_close(&tally);
}

/* Memory that is really out: the same, in a process that may have no more. */
static void test_out_of_memory(void)
{
#if !UNDER_SANITIZER
	enum { SESSIONS = 5000, OTHERS = 300000 };
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		static const struct rlimit most = { 3000000, 3000000 };
		struct tally tally = opened(SESSIONS, 1000000), other;
		bool good = true;

		setrlimit(RLIMIT_AS, &most);
		setrlimit(RLIMIT_DATA, &most);
		for (uint32_t i = 0; i < OTHERS; i++) {
			struct net_ip ip = ip_number(i);

			good &= comes(&tally, &ip, 10, 1000);
			if (i % 60 == 0) good &= tally_begin(&tally, &ip, 1000);
		}
		for (uint32_t i = 0; i < OTHERS; i += 60) {
			struct net_ip ip = ip_number(i);

			good &= tally_sessions(&tally, &ip) == 1;
		}
		/* It must have been out. */
		good &= tally.count < OTHERS;
		good &= tally_open(&other, 32, 64, 1000000, 0) < 0;
		_exit(good ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	is_number(status, 0, "without memory all are let in, and counted");
#else
	ok(true, "# SKIP the sanitizer needs memory");
#endif
}

static void test_carried_over(void)
{
	struct tally old = opened(10, 100000), new = opened(10, 100000);
	struct tally_rate rate;
	struct net_ip full = ip_number(3), ip, network = ip_of("192.0.2.1");
	size_t at = 0, count = 0;
	bool same = true;

	for (uint32_t i = 0; i < 10000; i++) {
		ip = ip_number(i);
		comes(&old, &ip, 10, 1000);
	}
	tally_begin(&old, &network, 1000);
	while (comes(&old, &full, 10, 1000)) {
	}
	while (tally_next_rate(&old, &at, 3500, &rate)) {
		tally_restore_rate(&new, &rate, 4000);
		count++;
	}
	is_number((long long)count, 10000, "each one who has used something");
	for (uint32_t i = 0; i < 10000; i++) {
		ip = ip_number(i);
		same &= tally_rate_allows(&new, &ip, 10, 4000) == (i != 3);
		same &= !tally_rate_allows(&new, &ip, 1, 4000);
	}
	ok(same, "has used as much in the other table");
	ok(!comes(&new, &full, 10, 4000 + 3499), "at another time");
	ok(comes(&new, &full, 10, 4000 + 3500), "but not for longer");
	is_number((long long)tally_sessions(&new, &network), 0,
		  "sessions are not carried over");
	at = 0;
	ok(!tally_next_rate(&old, &at, 62000, &rate), "the idle are not");
	rate.wait = INT64_MAX;
	tally_restore_rate(&new, &rate, 4000);
	rate.wait = INT64_MIN;
	tally_restore_rate(&new, &rate, 4000);
	at = 0;
	while (tally_next_rate(&new, &at, 4000, &rate))
		same &= rate.wait > 0 && rate.wait <= 60000;
	ok(same, "nonsense is a minute or nothing");
	tally_close(&old);
	tally_close(&new);
}

/* Of this process alone: the machine may have other things to do. */
static double microseconds(void)
{
	struct timespec at;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
	return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

/* What tcpserver asks of it for one client. */
static void one_client(struct tally *tally, uint32_t number, long long now)
{
	struct net_ip ip = ip_number(number);

	if (tally_sessions(tally, &ip) > 5) return;
	comes(tally, &ip, 10, now);
	tally_begin(tally, &ip, now);
	tally_end(tally, &ip, now);
}

enum { LONG = 5000, TRIES = 3 };

/* Each address comes, so the table grows. What the longest of them took; each
   took `*mean`. */
static double grow(struct tally *tally, uint32_t addresses, double *mean)
{
	double longest = 0, begin = microseconds(), then = begin, now;

	for (uint32_t i = 0; i < addresses; i++) {
		one_client(tally, i, 1000);
		now = microseconds();
		if (now - then > longest) longest = now - then;
		then = now;
	}
	*mean = (then - begin) / addresses;
	return longest;
}

/* And then they come in any order. A table that stops to move all would do it
   each time; a machine that stops, which even this clock may see, does not. */
static double cost_of(uint32_t addresses)
{
	enum { CLIENTS = 300000 };
	struct tally tally = opened(40, 2000000);
	double grown, longest = grow(&tally, addresses, &grown), begin, cost;

	for (int i = 1; i < TRIES && longest >= LONG; i++) {
		tally_close(&tally);
		tally = opened(40, 2000000);
		longest = grow(&tally, addresses, &grown);
	}
	begin = microseconds();
	for (uint32_t i = 0; i < CLIENTS; i++)
		one_client(&tally, random_below(addresses), 1001);
	cost = (microseconds() - begin) / CLIENTS;
	printf("# %8u addresses: %.2f us for a new one (the longest %.0f us),"
	       " %.2f us for a known one, %u KB\n",
	       addresses, grown, longest, cost,
	       tally.chunk_count * 4096u * TALLY_BYTES / 1024);
	ok(longest < LONG, "no client waits for the table");
	tally_close(&tally);
	return cost;
}

static void test_cost(void)
{
	double few = cost_of(100);
	double many = cost_of(100000);

	/* Caches make some difference; a search would make one of 1,000. */
	ok(many < 50 * few + 2, "100,000 addresses cost what 100 do");
	ok(cost_of(1000000) < 50 * few + 2, "and so do 1,000,000");
}

int main(void)
{
	test_what_is_one();
	test_sessions();
	test_against_model();
	test_good_clients();
	test_floods();
	test_shares();
	test_clock();
	test_idle();
	test_full();
	test_out_of_memory();
	test_carried_over();
	test_cost();
	return done_testing();
}
