/* MD5 (RFC 1321) and its HMAC (RFC 2104), for CRAM-MD5, which knows no other
   digest. Nothing new should be built on it. No data decides what is read from
   memory or how long it takes. What is no longer needed is wiped.
   SPDX-License-Identifier: ISC */
#ifndef BASE_MD5_H
#define BASE_MD5_H

#include <stddef.h>
#include <stdint.h>

enum { MD5_LENGTH = 16, MD5_BLOCK = 64 };

void md5(const void *bytes, size_t length, unsigned char digest[MD5_LENGTH]);

/* What is left of a key once it has been mixed in: as good as the key for this
   purpose, and for no other. */
struct hmac_md5 {
	uint32_t inner[4];
	uint32_t outer[4];
};

void hmac_md5_key(struct hmac_md5 *, const void *key, size_t length);
void hmac_md5(const struct hmac_md5 *, const void *bytes, size_t length,
	      unsigned char digest[MD5_LENGTH]);

#endif
