/* TAP for the unit tests: one line per check on standard output, the details
   of a failure as a comment below it. `return done_testing();` ends main.
   SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_TAP_H
#define TESTS_UNIT_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static int tap_count;
static int tap_failed;

/* Each check gives back whether it passed. */
static inline bool ok(bool passed, const char *name)
{
	tap_count++;
	if (!passed) tap_failed++;
	printf("%sok %d - %s\n", passed ? "" : "not ", tap_count, name);
	fflush(stdout);
	return passed;
}

static inline void tap_show(const char *label, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;

	printf("# %s ", label);
	for (size_t i = 0; i < length; i++)
		if (at[i] >= 32 && at[i] < 127 && at[i] != '\\') putchar(at[i]);
		else printf("\\x%02x", at[i]);
	printf("\n");
	fflush(stdout);
}

/* Any bytes, NUL among them. */
static inline bool is_bytes(const void *got, size_t got_length,
			    const void *wanted, size_t wanted_length,
			    const char *name)
{
	bool same = got_length == wanted_length &&
		    (got_length == 0 || memcmp(got, wanted, got_length) == 0);

	if (ok(same, name)) return true;
	tap_show("got:   ", got, got_length);
	tap_show("wanted:", wanted, wanted_length);
	return false;
}

/* C strings; NULL is equal to NULL only. */
static inline bool is_text(const char *got, const char *wanted,
			   const char *name)
{
	if (got && wanted)
		return is_bytes(got, strlen(got), wanted, strlen(wanted), name);
	if (ok(got == wanted, name)) return true;
	printf("# got:    %s\n# wanted: %s\n", got ? got : "(NULL)",
	       wanted ? wanted : "(NULL)");
	return false;
}

static inline bool is_number(long long got, long long wanted, const char *name)
{
	if (ok(got == wanted, name)) return true;
	printf("# got:    %lld\n# wanted: %lld\n", got, wanted);
	return false;
}

/* The plan, and what main returns. */
static inline int done_testing(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}

#endif
