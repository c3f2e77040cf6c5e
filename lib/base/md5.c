/* SPDX-License-Identifier: ISC */
#include "base/md5.h"

#include <string.h>

enum { BLOCK = MD5_BLOCK, ROUNDS = 64, LENGTH_BYTES = 8 };

/* The first 32 bits of the fractions of |sin(1)|, |sin(2)|, ... */
static const uint32_t constants[ROUNDS] = {
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a,
	0xa8304613, 0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be,
	0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340,
	0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
	0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8,
	0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c,
	0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa,
	0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
	0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92,
	0xffeff47d, 0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1,
	0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

static uint32_t rotate(uint32_t word, unsigned by)
{
	return word << by | word >> (32 - by);
}

static uint32_t read_word(const unsigned char *from)
{
	return (uint32_t)from[3] << 24 | (uint32_t)from[2] << 16 |
	       (uint32_t)from[1] << 8 | from[0];
}

static void write_word(unsigned char *to, uint32_t word)
{
	to[0] = (unsigned char)word;
	to[1] = (unsigned char)(word >> 8);
	to[2] = (unsigned char)(word >> 16);
	to[3] = (unsigned char)(word >> 24);
}

/* F, G, H and I of RFC 1321, section 3.4. */
static uint32_t choose(size_t step, uint32_t b, uint32_t c, uint32_t d)
{
	switch (step / 16) {
	case 0: return (b & c) | (~b & d);
	case 1: return (b & d) | (c & ~d);
	case 2: return b ^ c ^ d;
	default: return c ^ (b | ~d);
	}
}

/* Which word of the block a step takes: from 0, 1, 5, 0 on, by 1, 5, 3, 7. */
static size_t word_of(size_t step)
{
	static const unsigned char from[] = { 0, 1, 5, 0 },
				   by[] = { 1, 5, 3, 7 };

	return (from[step / 16] + step % 16 * by[step / 16]) % 16;
}

static void mix(uint32_t state[4], const unsigned char *block)
{
	static const unsigned char turns[4][4] = { { 7, 12, 17, 22 },
						   { 5, 9, 14, 20 },
						   { 4, 11, 16, 23 },
						   { 6, 10, 15, 21 } };
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3];

	for (size_t i = 0; i < ROUNDS; i++) {
		uint32_t sum = a + choose(i, b, c, d) + constants[i] +
			       read_word(block + 4 * word_of(i));

		a = d;
		d = c;
		c = b;
		b += rotate(sum, turns[i / 16][i % 4]);
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
}

static const uint32_t initial[4] = { 0x67452301, 0xefcdab89, 0x98badcfe,
				     0x10325476 };

/* `before` bytes, whole blocks, are in the state already. */
static void finish(uint32_t state[4], size_t before, const void *bytes,
		   size_t length)
{
	unsigned char last[2 * BLOCK] = { 0 };
	const unsigned char *from = bytes;
	size_t rest = length % BLOCK;
	size_t end = rest < BLOCK - LENGTH_BYTES ? BLOCK : 2 * BLOCK;
	uint64_t total = (uint64_t)before + length;

	for (size_t at = 0; at < length - rest; at += BLOCK)
		mix(state, from + at);
	if (rest) memcpy(last, from + length - rest, rest);
	last[rest] = 0x80;
	write_word(last + end - 8, (uint32_t)(total << 3));
	write_word(last + end - 4, (uint32_t)(total >> 29));
	for (size_t at = 0; at < end; at += BLOCK) mix(state, last + at);
	explicit_bzero(last, sizeof last);
}

static void write_state(unsigned char digest[MD5_LENGTH],
			const uint32_t state[4])
{
	for (size_t i = 0; i < 4; i++) write_word(digest + 4 * i, state[i]);
}

void md5(const void *bytes, size_t length, unsigned char digest[MD5_LENGTH])
{
	uint32_t state[4];

	memcpy(state, initial, sizeof state);
	finish(state, 0, bytes, length);
	write_state(digest, state);
	explicit_bzero(state, sizeof state);
}

void hmac_md5_key(struct hmac_md5 *hmac, const void *key, size_t length)
{
	unsigned char block[BLOCK] = { 0 };

	if (length > BLOCK) md5(key, length, block);
	else if (length) memcpy(block, key, length);
	memcpy(hmac->inner, initial, sizeof initial);
	memcpy(hmac->outer, initial, sizeof initial);
	for (size_t i = 0; i < BLOCK; i++) block[i] ^= 0x36;
	mix(hmac->inner, block);
	for (size_t i = 0; i < BLOCK; i++) block[i] ^= 0x36 ^ 0x5c;
	mix(hmac->outer, block);
	explicit_bzero(block, sizeof block);
}

void hmac_md5(const struct hmac_md5 *hmac, const void *bytes, size_t length,
	      unsigned char digest[MD5_LENGTH])
{
	uint32_t state[4];

	memcpy(state, hmac->inner, sizeof state);
	finish(state, BLOCK, bytes, length);
	write_state(digest, state);
	memcpy(state, hmac->outer, sizeof state);
	finish(state, BLOCK, digest, MD5_LENGTH);
	write_state(digest, state);
	explicit_bzero(state, sizeof state);
}
