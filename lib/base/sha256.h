/* SHA-256 (FIPS 180-4), its HMAC (RFC 2104) and PBKDF2 (RFC 8018), for SCRAM: a
   library for this would cost a program that runs for one login more than its
   work. No data decides what is read from memory or how long it takes. What is
   no longer needed is wiped.
   SPDX-License-Identifier: ISC */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_LENGTH = 32, SHA256_BLOCK = 64 };

struct sha256 {
	uint32_t state[8];
	uint64_t length;
	unsigned char block[SHA256_BLOCK];
};

/* Start, add as often as there is something, finish; after that it is empty. */
void sha256_start(struct sha256 *);
void sha256_add(struct sha256 *, const void *bytes, size_t length);
void sha256_finish(struct sha256 *, unsigned char digest[SHA256_LENGTH]);

void sha256(const void *bytes, size_t length,
	    unsigned char digest[SHA256_LENGTH]);

struct hmac_sha256 {
	struct sha256 inner;
	struct sha256 outer;
};

void hmac_sha256_start(struct hmac_sha256 *, const void *key, size_t length);
void hmac_sha256_add(struct hmac_sha256 *, const void *bytes, size_t length);
void hmac_sha256_finish(struct hmac_sha256 *,
			unsigned char digest[SHA256_LENGTH]);

void hmac_sha256(const void *key, size_t key_length, const void *bytes,
		 size_t length, unsigned char digest[SHA256_LENGTH]);

struct pbkdf2_sha256 {
	const void *password;
	size_t password_length;
	const void *salt;
	size_t salt_length;
	unsigned long iterations;
};

/* A key as long as one digest. */
void pbkdf2_sha256(const struct pbkdf2_sha256 *,
		   unsigned char digest[SHA256_LENGTH]);

#endif
