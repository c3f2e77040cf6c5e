/* SPDX-License-Identifier: ISC */
#include "make_entry.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/message.h"
#include "base/parse.h"
#include "base/str.h"
#include "cram.h"
#include "password.h"
#include "request.h"
#include "scram_keys.h"

enum {
	/* With a login of one byte and no challenge, no longer one fits into a
	   request. */
	LONGEST_PASSWORD = REQUEST_LIMIT - 4,
	BCRYPT_LOOKS_AT = 72,
	SALT_LENGTH = 16,
	SCRAM_LEAST_ITERATIONS = 4096, /* RFC 7677, section 4 */
};

struct kind {
	const char *name;
	const char *prefix; /* of crypt */
	unsigned long usual_cost, least_cost, most_cost;
	size_t longest_password;
	void (*make)(struct str *entry, const struct kind *, unsigned long cost,
		     const char *password);
};

static void make_scram(struct str *entry, const struct kind *kind,
		       unsigned long cost, const char *password)
{
	struct scram_secret secret = { .iterations = cost,
				       .salt_length = SALT_LENGTH };

	(void)kind;
	if (getrandom(secret.salt, SALT_LENGTH, 0) != SALT_LENGTH)
		die_temporary("unable to draw a number:");
	scram_keys_make(&secret, password);
	scram_secret_write(entry, &secret);
}

static void make_cram(struct str *entry, const struct kind *kind,
		      unsigned long cost, const char *password)
{
	struct cram_secret secret;

	(void)kind;
	(void)cost;
	cram_make(&secret, password);
	cram_secret_write(entry, &secret);
}

static void make_crypt(struct str *entry, const struct kind *kind,
		       unsigned long cost, const char *password)
{
	const char *hash = password_hash(kind->prefix, cost, password);

	if (!hash) die_misused("crypt here does not make such a hash");
	str_append_text(entry, hash);
}

/* Costs as crypt(5) has them; where 0 is the usual one, it is crypt's choice.
   That of bcrypt, 5, is of 1999. */
static const struct kind kinds[] = {
	{ "scram-sha-256", NULL, SCRAM_LEAST_ITERATIONS, SCRAM_LEAST_ITERATIONS,
	  SCRAM_MOST_ITERATIONS, LONGEST_PASSWORD, make_scram },
	{ "cram-md5", NULL, 0, 0, 0, LONGEST_PASSWORD, make_cram },
	{ "yescrypt", "$y$", 0, 1, 11, LONGEST_PASSWORD, make_crypt },
	{ "sha512", "$6$", 0, 1000, 999999999, LONGEST_PASSWORD, make_crypt },
	{ "bcrypt", "$2b$", 10, 4, 31, BCRYPT_LOOKS_AT, make_crypt },
};

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
	die_misused("a kind is scram-sha-256, cram-md5, yescrypt, sha512 or "
		    "bcrypt");
}

static unsigned long read_cost(const struct kind *kind, const char *text)
{
	unsigned long cost;

	if (!text) return kind->usual_cost;
	if (kind->most_cost == 0) die_misused("this kind has no cost");
	if (parse_number(text, kind->least_cost, kind->most_cost, &cost) == 0)
		return cost;
	note("the cost of %s is from %lu to %lu", kind->name, kind->least_cost,
	     kind->most_cost);
	die_misused("this is no cost");
}

/* ---- the password ---- */

static const char *ask(const char *prompt)
{
	const char *typed = getpass(prompt);

	if (!typed) die_temporary("unable to ask the terminal:");
	return typed;
}

static void ask_twice(struct str *password)
{
	str_append_text(password, ask("password: "));
	if (strcmp(ask("once more: "), password->data) != 0)
		die_misused("these were two passwords");
}

static void read_line(struct str *password)
{
	static char line[LONGEST_PASSWORD + 2]; /* one too many, or its end */
	size_t length = 0;
	const char *end = NULL;
	ssize_t n = 1;

	while (!end && n > 0 && length < sizeof line) {
		n = read(STDIN_FILENO, line + length, sizeof line - length);
		if (n < 0) die_temporary("unable to read the password:");
		end = memchr(line + length, '\n', (size_t)n);
		length += (size_t)n;
	}
	str_append(password, line, end ? (size_t)(end - line) : length);
	explicit_bzero(line, sizeof line);
}

/* What a client could not send, or the hash would not look at. */
static void check_password(const struct kind *kind, const struct str *password)
{
	if (password->length == 0) die_misused("the password is empty");
	if (memchr(password->data, '\0', password->length))
		die_misused("the password has a NUL in it");
	if (password->length > kind->longest_password) {
		note("%s takes %zu bytes of a password, no more", kind->name,
		     kind->longest_password);
		die_misused("the password is too long");
	}
}

void make_entry(const char *kind_name, const char *cost_text)
{
	const struct kind *kind = find_kind(kind_name);
	unsigned long cost = read_cost(kind, cost_text);
	struct str password = { 0 }, entry = { 0 };

	str_reserve(&password, LONGEST_PASSWORD + 2);
	if (isatty(STDIN_FILENO)) ask_twice(&password);
	else read_line(&password);
	check_password(kind, &password);
	kind->make(&entry, kind, cost, password.data);
	explicit_bzero(password.data, password.room);
	if (puts(entry.data) == EOF || fflush(stdout) != 0)
		die_temporary("unable to write output:");
}
