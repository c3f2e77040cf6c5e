/* SPDX-License-Identifier: ISC */
/* MD5's state is to be had by the old calls only, which OpenSSL 3 deprecates:
   what is kept for CRAM-MD5 is an HMAC that was stopped after its key. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/md5.h>
#include <stdint.h>
#include <string.h>

#include "base/message.h"

enum { WORD_BYTES = 4, BITS = 8 };

/* What is left to go wrong is memory. */
static void must(bool succeeded)
{
	if (!succeeded) die_temporary("unable to compute a digest");
}

static const EVP_MD *sha256(void)
{
	must(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1);
	return EVP_sha256();
}

void digest_sha256(const void *bytes, size_t length,
		   unsigned char digest[SHA256_LENGTH])
{
	must(EVP_Digest(bytes, length, digest, NULL, sha256(), NULL) == 1);
}

void digest_hmac_sha256(const unsigned char *key, const void *bytes,
			size_t length, unsigned char digest[SHA256_LENGTH])
{
	must(HMAC(sha256(), key, SHA256_LENGTH, bytes, length, digest, NULL) !=
	     NULL);
}

void digest_pbkdf2(const struct digest_work *work,
		   unsigned char digest[SHA256_LENGTH])
{
	must(PKCS5_PBKDF2_HMAC(work->password, (int)strlen(work->password),
			       work->salt, (int)work->salt_length,
			       (int)work->iterations, sha256(), SHA256_LENGTH,
			       digest) == 1);
}

/* ---- MD5 ---- */

void digest_md5(const void *bytes, size_t length,
		unsigned char digest[MD5_LENGTH])
{
	MD5_CTX md5;

	must(MD5_Init(&md5) == 1 && MD5_Update(&md5, bytes, length) == 1 &&
	     MD5_Final(digest, &md5) == 1);
}

static void write_word(unsigned char *to, MD5_LONG word)
{
	for (unsigned i = 0; i < WORD_BYTES; i++)
		to[i] = (unsigned char)(word >> BITS * i);
}

static MD5_LONG read_word(const unsigned char *from)
{
	MD5_LONG word = 0;

	for (unsigned i = 0; i < WORD_BYTES; i++)
		word |= (MD5_LONG)from[i] << BITS * i;
	return word;
}

void digest_md5_begin(const unsigned char block[MD5_BLOCK],
		      unsigned char state[MD5_LENGTH])
{
	MD5_CTX md5;

	must(MD5_Init(&md5) == 1 && MD5_Update(&md5, block, MD5_BLOCK) == 1);
	write_word(state, md5.A);
	write_word(state + WORD_BYTES, md5.B);
	write_word(state + 2 * WORD_BYTES, md5.C);
	write_word(state + 3 * WORD_BYTES, md5.D);
	explicit_bzero(&md5, sizeof md5);
}

void digest_md5_go_on(const unsigned char state[MD5_LENGTH], const void *bytes,
		      size_t length, unsigned char digest[MD5_LENGTH])
{
	MD5_CTX md5;

	must(MD5_Init(&md5) == 1);
	md5.A = read_word(state);
	md5.B = read_word(state + WORD_BYTES);
	md5.C = read_word(state + 2 * WORD_BYTES);
	md5.D = read_word(state + 3 * WORD_BYTES);
	md5.Nl = MD5_BLOCK * BITS; /* so much of it is done */
	must(MD5_Update(&md5, bytes, length) == 1 &&
	     MD5_Final(digest, &md5) == 1);
}

bool digest_equals(const void *a, const void *b, size_t length)
{
	return CRYPTO_memcmp(a, b, length) == 0;
}
