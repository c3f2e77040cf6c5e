/* SPDX-License-Identifier: ISC */
#include "base/sha256.h"

#include <string.h>

enum { BLOCK = SHA256_BLOCK, ROUNDS = 64, LENGTH_BYTES = 8 };

/* The fractions of the cube roots of the first 64 primes. */
static const uint32_t constants[ROUNDS] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t word, unsigned by)
{
	return word >> by | word << (32 - by);
}

static uint32_t read_word(const unsigned char *from)
{
	return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 |
	       (uint32_t)from[2] << 8 | from[3];
}

static void write_word(unsigned char *to, uint32_t word)
{
	to[0] = (unsigned char)(word >> 24);
	to[1] = (unsigned char)(word >> 16);
	to[2] = (unsigned char)(word >> 8);
	to[3] = (unsigned char)word;
}

/* Section 6.2 of FIPS 180-4, step 1. */
static void make_schedule(uint32_t w[ROUNDS], const unsigned char *block)
{
	for (size_t i = 0; i < 16; i++) w[i] = read_word(block + 4 * i);
	for (size_t i = 16; i < ROUNDS; i++) {
		uint32_t x = w[i - 15], y = w[i - 2];

		w[i] = w[i - 16] + w[i - 7] +
		       (rotate(x, 7) ^ rotate(x, 18) ^ x >> 3) +
		       (rotate(y, 17) ^ rotate(y, 19) ^ y >> 10);
	}
}

/* Steps 2 to 4; v is a to h. */
static void mix(uint32_t state[8], const unsigned char *block)
{
	uint32_t w[ROUNDS] = { 0 }; /* gcc's analyzer loses count */
	uint32_t v[8];

	make_schedule(w, block);
	memcpy(v, state, sizeof v);
	for (size_t i = 0; i < ROUNDS; i++) {
		uint32_t e = v[4], a = v[0];
		uint32_t one = v[7] + constants[i] + w[i] +
			       (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
			       ((e & v[5]) ^ (~e & v[6]));
		uint32_t two = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
			       ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));

		memmove(v + 1, v, 7 * sizeof v[0]);
		v[4] += one;
		v[0] = one + two;
	}
	for (size_t i = 0; i < 8; i++) state[i] += v[i];
	explicit_bzero(w, sizeof w);
	explicit_bzero(v, sizeof v);
}

void sha256_start(struct sha256 *sha)
{
	/* The fractions of the square roots of the first 8 primes. */
	static const uint32_t initial[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};

	memcpy(sha->state, initial, sizeof initial);
	sha->length = 0;
}

void sha256_add(struct sha256 *sha, const void *bytes, size_t length)
{
	const unsigned char *from = bytes;

	while (length > 0) {
		size_t used = sha->length % BLOCK, room = BLOCK - used;
		size_t taken = length < room ? length : room;

		memcpy(sha->block + used, from, taken);
		sha->length += taken;
		from += taken;
		length -= taken;
		if (taken == room) mix(sha->state, sha->block);
	}
}

void sha256_finish(struct sha256 *sha, unsigned char digest[SHA256_LENGTH])
{
	static const unsigned char padding[BLOCK] = { 0x80 };
	unsigned char bits[LENGTH_BYTES];
	size_t used = sha->length % BLOCK;
	size_t end = used < BLOCK - LENGTH_BYTES ? BLOCK : 2 * BLOCK;

	write_word(bits, (uint32_t)(sha->length >> 29));
	write_word(bits + 4, (uint32_t)(sha->length << 3));
	sha256_add(sha, padding, end - sizeof bits - used);
	sha256_add(sha, bits, sizeof bits);
	for (size_t i = 0; i < 8; i++)
		write_word(digest + 4 * i, sha->state[i]);
	explicit_bzero(sha, sizeof *sha);
}

void sha256(const void *bytes, size_t length,
	    unsigned char digest[SHA256_LENGTH])
{
	struct sha256 sha;

	sha256_start(&sha);
	sha256_add(&sha, bytes, length);
	sha256_finish(&sha, digest);
}

/* RFC 2104. */
void hmac_sha256_start(struct hmac_sha256 *hmac, const void *key, size_t length)
{
	unsigned char block[BLOCK] = { 0 };

	if (length > BLOCK) sha256(key, length, block);
	else if (length) memcpy(block, key, length);
	for (size_t i = 0; i < BLOCK; i++) block[i] ^= 0x36;
	sha256_start(&hmac->inner);
	sha256_add(&hmac->inner, block, BLOCK);
	for (size_t i = 0; i < BLOCK; i++) block[i] ^= 0x36 ^ 0x5c;
	sha256_start(&hmac->outer);
	sha256_add(&hmac->outer, block, BLOCK);
	explicit_bzero(block, sizeof block);
}

void hmac_sha256_add(struct hmac_sha256 *hmac, const void *bytes, size_t length)
{
	sha256_add(&hmac->inner, bytes, length);
}

void hmac_sha256_finish(struct hmac_sha256 *hmac,
			unsigned char digest[SHA256_LENGTH])
{
	sha256_finish(&hmac->inner, digest);
	sha256_add(&hmac->outer, digest, SHA256_LENGTH);
	sha256_finish(&hmac->outer, digest);
}

void hmac_sha256(const void *key, size_t key_length, const void *bytes,
		 size_t length, unsigned char digest[SHA256_LENGTH])
{
	struct hmac_sha256 hmac;

	hmac_sha256_start(&hmac, key, key_length);
	hmac_sha256_add(&hmac, bytes, length);
	hmac_sha256_finish(&hmac, digest);
}

/* RFC 8018, section 5.2, for the first block; the key is hashed once. */
void pbkdf2_sha256(const struct pbkdf2_sha256 *what,
		   unsigned char digest[SHA256_LENGTH])
{
	static const unsigned char first_block[4] = { 0, 0, 0, 1 };
	struct hmac_sha256 keyed, hmac;
	unsigned char round[SHA256_LENGTH];

	hmac_sha256_start(&keyed, what->password, what->password_length);
	hmac = keyed;
	hmac_sha256_add(&hmac, what->salt, what->salt_length);
	hmac_sha256_add(&hmac, first_block, sizeof first_block);
	hmac_sha256_finish(&hmac, round);
	memcpy(digest, round, sizeof round);
	for (unsigned long i = 1; i < what->iterations; i++) {
		hmac = keyed;
		hmac_sha256_add(&hmac, round, sizeof round);
		hmac_sha256_finish(&hmac, round);
		for (size_t j = 0; j < sizeof round; j++) digest[j] ^= round[j];
	}
	explicit_bzero(&keyed, sizeof keyed);
	explicit_bzero(round, sizeof round);
}
