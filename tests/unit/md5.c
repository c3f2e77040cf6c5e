/* MD5 and its HMAC against the values of RFC 1321 and RFC 2202.
   SPDX-License-Identifier: ISC */
#include "base/md5.h"

#include <string.h>

#include "tap.h"

static const char *digits_of(const unsigned char *bytes)
{
	static char digits[2 * MD5_LENGTH + 1];

	for (size_t i = 0; i < MD5_LENGTH; i++)
		snprintf(digits + 2 * i, 3, "%02x", bytes[i]);
	return digits;
}

static void test_digests(void)
{
	static const struct {
		const char *text;
		const char *wanted;
	} rows[] = {
		{ "", "d41d8cd98f00b204e9800998ecf8427e" },
		{ "a", "0cc175b9c0f1b6a831c399e269772661" },
		{ "message digest", "f96b697d7cb7938d525a2f31aaf161d0" },
		{ "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		  "0123456789",
		  "d174ab98d277d9f5a5611c2c9f419d9f" },
		{ "1234567890123456789012345678901234567890123456789012345678"
		  "9012345678901234567890",
		  "57edf4a22be3c955ac49da2e2107b67a" },
	};
	unsigned char digest[MD5_LENGTH];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		md5(rows[i].text, strlen(rows[i].text), digest);
		is_text(digits_of(digest), rows[i].wanted, rows[i].text);
	}
}

static void test_hmac(void)
{
	unsigned char digest[MD5_LENGTH], key[80];
	const char *text = "Test Using Larger Than Block-Size Key and Larger "
			   "Than One Block-Size Data";
	struct hmac_md5 hmac;

	hmac_md5_key(&hmac, "Jefe", 4);
	hmac_md5(&hmac, "what do ya want for nothing?", 28, digest);
	is_text(digits_of(digest), "750c783e6ab0b503eaa86e310a5db738", "HMAC");
	hmac_md5(&hmac, "what do ya want for nothing?", 28, digest);
	is_text(digits_of(digest), "750c783e6ab0b503eaa86e310a5db738",
		"and again, with the same key");
	memset(key, 0xaa, sizeof key);
	hmac_md5_key(&hmac, key, sizeof key);
	hmac_md5(&hmac, text, strlen(text), digest);
	is_text(digits_of(digest), "6f630fad67cda0ee1fb1f562db3aa53e",
		"HMAC with a key and a text that are longer than a block");
}

int main(void)
{
	test_digests();
	test_hmac();
	return done_testing();
}
