/* OpenSSL's digests, as SCRAM and CRAM-MD5 need them. The surprise: they need
   memory, so each may end the process, 111; a digest that is wrong never comes
   out. OpenSSL's configuration file is not read: what a hash in the table was
   made with is no matter of taste.
   SPDX-License-Identifier: ISC */
#ifndef DIGEST_H
#define DIGEST_H

#include <stdbool.h>
#include <stddef.h>

enum { SHA256_LENGTH = 32, MD5_LENGTH = 16, MD5_BLOCK = 64 };

void digest_sha256(const void *bytes, size_t length,
		   unsigned char digest[SHA256_LENGTH]);

/* With a key of SHA256_LENGTH bytes. `digest` may be the key. */
void digest_hmac_sha256(const unsigned char *key, const void *bytes,
			size_t length, unsigned char digest[SHA256_LENGTH]);

struct digest_work {
	const char *password;
	const unsigned char *salt;
	size_t salt_length;
	unsigned long iterations;
};

/* PBKDF2 with HMAC-SHA-256 (RFC 8018): as many bytes as one digest. */
void digest_pbkdf2(const struct digest_work *,
		   unsigned char digest[SHA256_LENGTH]);

void digest_md5(const void *bytes, size_t length,
		unsigned char digest[MD5_LENGTH]);

/* MD5's state after one block, and the digest of what begins with that block and
   goes on with these bytes. */
void digest_md5_begin(const unsigned char block[MD5_BLOCK],
		      unsigned char state[MD5_LENGTH]);
void digest_md5_go_on(const unsigned char state[MD5_LENGTH], const void *bytes,
		      size_t length, unsigned char digest[MD5_LENGTH]);

/* The same bytes? It takes as long wherever the first difference is. */
bool digest_equals(const void *a, const void *b, size_t length);

#endif
