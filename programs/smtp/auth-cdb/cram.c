/* SPDX-License-Identifier: ISC */
#include "cram.h"

#include <string.h>

#include "digest.h"

enum { INNER_PAD = 0x36, OUTER_PAD = 0x5c };

static void begin(unsigned char state[CRAM_STATE_LENGTH],
		  const unsigned char key[MD5_BLOCK], unsigned char pad)
{
	unsigned char block[MD5_BLOCK];

	for (size_t i = 0; i < sizeof block; i++) block[i] = key[i] ^ pad;
	digest_md5_begin(block, state);
	explicit_bzero(block, sizeof block);
}

void cram_make(struct cram_secret *secret, const char *password)
{
	unsigned char key[MD5_BLOCK] = { 0 };
	size_t length = strlen(password);

	if (length > sizeof key) digest_md5(password, length, key);
	else
		for (size_t i = 0; i < length; i++)
			key[i] = (unsigned char)password[i];
	begin(secret->states, key, OUTER_PAD);
	begin(secret->states + CRAM_STATE_LENGTH, key, INNER_PAD);
	explicit_bzero(key, sizeof key);
}

bool cram_is_password(const struct cram_secret *secret, const char *password)
{
	struct cram_secret made;
	bool is_same;

	cram_make(&made, password);
	is_same =
		digest_equals(made.states, secret->states, sizeof made.states);
	explicit_bzero(&made, sizeof made);
	return is_same;
}

bool cram_is_answer(const struct cram_secret *secret, const char *challenge,
		    const char *answer)
{
	unsigned char digest[MD5_LENGTH];
	char digits[2 * MD5_LENGTH];

	digest_md5_go_on(secret->states + CRAM_STATE_LENGTH, challenge,
			 strlen(challenge), digest);
	digest_md5_go_on(secret->states, digest, sizeof digest, digest);
	for (size_t i = 0; i < sizeof digest; i++) {
		digits[2 * i] = "0123456789abcdef"[digest[i] >> 4];
		digits[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
	}
	return strlen(answer) == sizeof digits &&
	       digest_equals(answer, digits, sizeof digits);
}
