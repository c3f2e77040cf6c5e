/* SHA-256, HMAC and PBKDF2 against the values that are published for them:
   FIPS 180-4, RFC 4231, RFC 7914 (section 11).
   SPDX-License-Identifier: ISC */
#include "base/sha256.h"

#include <string.h>

#include "tap.h"

enum { MANY = 1000 };

static const char *digits_of(const unsigned char *bytes)
{
	static char digits[2 * SHA256_LENGTH + 1];

	for (size_t i = 0; i < SHA256_LENGTH; i++)
		snprintf(digits + 2 * i, 3, "%02x", bytes[i]);
	return digits;
}

static void test_digests(void)
{
	static const struct {
		const char *text;
		const char *wanted;
	} rows[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb924"
		      "27ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223"
			 "b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039"
		  "a33ce45964ff2167f6ecedd419db06c1" },
	};
	unsigned char digest[SHA256_LENGTH];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		sha256(rows[i].text, strlen(rows[i].text), digest);
		is_text(digits_of(digest), rows[i].wanted, rows[i].text);
	}
}

/* A million times "a", in pieces of every length up to a thousand. */
static void test_pieces(void)
{
	unsigned char digest[SHA256_LENGTH];
	char as[MANY];
	struct sha256 sha;
	size_t left = (size_t)MANY * MANY;

	memset(as, 'a', sizeof as);
	sha256_start(&sha);
	for (size_t piece = 0; left > 0; piece = (piece + 1) % MANY) {
		size_t length = piece < left ? piece : left;

		sha256_add(&sha, as, length);
		left -= length;
	}
	sha256_finish(&sha, digest);
	is_text(digits_of(digest),
		"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112c"
		"d0",
		"a million bytes in pieces");
}

static void test_hmac(void)
{
	unsigned char digest[SHA256_LENGTH], key[131];
	const char *text = "Test Using Larger Than Block-Size Key - Hash Key "
			   "First";

	hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, digest);
	is_text(digits_of(digest),
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec38"
		"43",
		"HMAC");
	memset(key, 0xaa, sizeof key);
	hmac_sha256(key, sizeof key, text, strlen(text), digest);
	is_text(digits_of(digest),
		"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f"
		"54",
		"HMAC with a key that is longer than a block");
}

static void test_pbkdf2(void)
{
	unsigned char key[SHA256_LENGTH];

	pbkdf2_sha256(&(struct pbkdf2_sha256){ "passwd", 6, "salt", 4, 1 },
		      key);
	is_text(digits_of(key),
		"55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dac"
		"bc",
		"PBKDF2, one iteration");
	pbkdf2_sha256(
		&(struct pbkdf2_sha256){ "Password", 8, "NaCl", 4, 80000 },
		key);
	is_text(digits_of(key),
		"4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab"
		"56",
		"PBKDF2, many");
}

int main(void)
{
	test_digests();
	test_pieces();
	test_hmac();
	test_pbkdf2();
	return done_testing();
}
