/* The values of auth.cdb: which hash they have, and which settings.
   SPDX-License-Identifier: ISC */
#include "mail/auth_entry.h"

#include <string.h>

#include "base/str.h"
#include "tap.h"

#define BYTES(literal) literal, sizeof(literal) - 1
#define KEY "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define DIGITS "0123456789abcdefABCDEF0123456789"

static void test_kinds(void)
{
	static const struct {
		const char *value;
		size_t length;
		enum auth_entry_kind wanted;
	} rows[] = {
		{ BYTES(""), AUTH_ENTRY_LOCKED },
		{ BYTES(",A=\"b\""), AUTH_ENTRY_LOCKED },
		{ BYTES("*"), AUTH_ENTRY_LOCKED },
		{ BYTES("!"), AUTH_ENTRY_LOCKED },
		{ BYTES("!!"), AUTH_ENTRY_LOCKED },
		{ BYTES("!$6$salt$hash"), AUTH_ENTRY_LOCKED },
		{ BYTES("$6$salt$hash"), AUTH_ENTRY_CRYPT },
		{ BYTES("$6$salt$ha\0sh"), AUTH_ENTRY_WRONG },
		{ BYTES("{CRAM-MD5}" DIGITS DIGITS), AUTH_ENTRY_CRAM },
		{ BYTES("{CRAM-MD5}" DIGITS), AUTH_ENTRY_WRONG },
		{ BYTES("{CRAM-MD5}" DIGITS DIGITS "0"), AUTH_ENTRY_WRONG },
		{ BYTES("{CRAM-MD5}g123456789abcdefABCDEF0123456789" DIGITS),
		  AUTH_ENTRY_WRONG },
		{ BYTES("SCRAM-SHA-256$1:AA==$" KEY ":" KEY),
		  AUTH_ENTRY_SCRAM },
		{ BYTES("SCRAM-SHA-256$1:AA==$" KEY ":" KEY ",A=\"b\""),
		  AUTH_ENTRY_SCRAM },
		{ BYTES("SCRAM-SHA-256$0:AA==$" KEY ":" KEY),
		  AUTH_ENTRY_WRONG },
		{ BYTES("SCRAM-SHA-256$99999999:AA==$" KEY ":" KEY),
		  AUTH_ENTRY_WRONG },
		{ BYTES("SCRAM-SHA-256$1:$" KEY ":" KEY), AUTH_ENTRY_WRONG },
		{ BYTES("SCRAM-SHA-256$1:AA=$" KEY ":" KEY), AUTH_ENTRY_WRONG },
		{ BYTES("SCRAM-SHA-256$1:AA==$" KEY), AUTH_ENTRY_WRONG },
		{ BYTES("SCRAM-SHA-256$1:AA==$AAAA:" KEY), AUTH_ENTRY_WRONG },
		{ BYTES("SCRAM-SHA-256$1:AA==$" KEY ":" KEY "A"),
		  AUTH_ENTRY_WRONG },
		{ BYTES("SCRAM-SHA-256$"), AUTH_ENTRY_WRONG },
	};
	struct auth_entry entry;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		auth_entry_read(&entry, rows[i].value, rows[i].length);
		is_number(entry.kind, rows[i].wanted, rows[i].value);
	}
}

static void test_cram(void)
{
	static const char digits[] =
		"{CRAM-MD5}0123456789abcdef0123456789abcdef"
		"00ff0102030405060708090a0b0c0d0e";
	struct auth_entry entry;
	struct str text = { 0 };

	auth_entry_read(&entry, digits, strlen(digits));
	is_number(entry.cram.states[1], 0x23, "its digits");
	cram_secret_write(&text, &entry.cram);
	is_text(text.data, digits, "written again");
	str_free(&text);
}

static void test_long_hash(void)
{
	static char value[AUTH_ENTRY_HASH_LIMIT];
	struct auth_entry entry;

	memset(value, 'a', sizeof value);
	auth_entry_read(&entry, value, sizeof value);
	is_number(entry.kind, AUTH_ENTRY_WRONG, "a hash that is too long");
	auth_entry_read(&entry, value, sizeof value - 1);
	is_number(entry.kind, AUTH_ENTRY_CRYPT, "one that is just not");
	is_bytes(entry.hash, strlen(entry.hash), value, sizeof value - 1,
		 "all of it");
}

static void test_settings(void)
{
	static const struct {
		const char *value;
		size_t length;
		const char *wanted;
	} rows[] = {
		{ BYTES("x"), "" },
		{ BYTES("x,A=\"b\",_c9=\"\",D=\"e,f=g\""),
		  "[A=b][_c9=][D=e,f=g]" },
		{ BYTES("x,A=\"b\","), "[A=b]" },
		{ BYTES("x,A=\"b\"C=\"d\""), "[A=b]" },
		{ BYTES("x,A=\"b\", C=\"d\""), "[A=b]" },
		{ BYTES("x,A=\"b"), "" },
		{ BYTES("x,A=\""), "" },
		{ BYTES("x,A="), "" },
		{ BYTES("x,A"), "" },
		{ BYTES("x,A=b,C=\"d\""), "" },
		{ BYTES("x,=\"b\""), "" },
		{ BYTES("x,9A=\"b\""), "" },
		{ BYTES("x,A-B=\"b\""), "" },
		{ BYTES("x,A=\"b\",C=\"d\0e\",F=\"g\""), "[A=b]" },
	};
	struct str text = { 0 };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct auth_setting setting;
		struct auth_entry entry;

		str_clear(&text);
		str_append_text(&text, "");
		auth_entry_read(&entry, rows[i].value, rows[i].length);
		while (auth_entry_next_setting(&entry, &setting)) {
			str_append_byte(&text, '[');
			str_append(&text, setting.name, setting.name_length);
			str_append_byte(&text, '=');
			str_append(&text, setting.value, setting.value_length);
			str_append_byte(&text, ']');
		}
		is_text(text.data, rows[i].wanted, rows[i].value);
		ok(!auth_entry_next_setting(&entry, &setting), "and no more");
	}
	str_free(&text);
}

static struct auth_setting setting_of(const char *name, const char *value)
{
	return (struct auth_setting){ name, strlen(name), value,
				      strlen(value) };
}

static void test_expiry(void)
{
	static const struct {
		const char *value;
		bool wanted;
	} rows[] = {
		{ "0", true },     { "999", true },
		{ "1000", true },  { "1001", false },
		{ "", true },      { "never", true },
		{ "2000x", true }, { "99999999999999999999999999999", false },
		{ "-1", true },    { " 2000", true },
	};
	struct auth_setting setting = setting_of("PASSWORD_EXPIRES", "");

	ok(auth_setting_is_expiry(&setting), "an expiry");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		setting = setting_of("PASSWORD_EXPIRES", rows[i].value);
		ok(auth_setting_has_expired(&setting, 1000) == rows[i].wanted,
		   rows[i].value);
	}
	setting = setting_of("PASSWORD_EXPIRE", "0");
	ok(!auth_setting_is_expiry(&setting), "a shorter name is none");
}

static void test_unsafe(void)
{
	static const char *const unsafe[] = { "PATH", "IFS", "LD_PRELOAD",
					      "LD_", "BASH_ENV" };
	static const char *const safe[] = { "PAT", "PATHS", "L", "DATABYTES" };
	struct auth_setting setting;

	for (size_t i = 0; i < sizeof unsafe / sizeof unsafe[0]; i++) {
		setting = setting_of(unsafe[i], "");
		ok(auth_setting_is_unsafe(&setting), unsafe[i]);
	}
	for (size_t i = 0; i < sizeof safe / sizeof safe[0]; i++) {
		setting = setting_of(safe[i], "");
		ok(!auth_setting_is_unsafe(&setting), safe[i]);
	}
}

int main(void)
{
	test_kinds();
	test_cram();
	test_long_hash();
	test_settings();
	test_expiry();
	test_unsafe();
	return done_testing();
}
