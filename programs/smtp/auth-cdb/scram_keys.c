/* SPDX-License-Identifier: ISC */
#include "scram_keys.h"

#include <string.h>

#include "digest.h"

void scram_keys_make(struct scram_secret *secret, const char *password)
{
	static const char client[] = "Client Key", server[] = "Server Key";
	const struct digest_work work = {
		.password = password,
		.salt = secret->salt,
		.salt_length = secret->salt_length,
		.iterations = secret->iterations,
	};
	unsigned char salted[SHA256_LENGTH], key[SHA256_LENGTH];

	digest_pbkdf2(&work, salted);
	digest_hmac_sha256(salted, client, strlen(client), key);
	digest_sha256(key, sizeof key, secret->stored_key);
	digest_hmac_sha256(salted, server, strlen(server), secret->server_key);
	explicit_bzero(salted, sizeof salted);
	explicit_bzero(key, sizeof key);
}

bool scram_keys_are_of(const struct scram_secret *secret, const char *password)
{
	struct scram_secret made = *secret;
	bool is_same;

	scram_keys_make(&made, password);
	is_same = digest_equals(made.stored_key, secret->stored_key,
				sizeof made.stored_key);
	explicit_bzero(&made, sizeof made);
	return is_same;
}

bool scram_keys_are_proved(const struct scram_secret *secret,
			   struct scram *scram)
{
	const struct str *text = &scram->signed_text;
	unsigned char key[SHA256_LENGTH];

	digest_hmac_sha256(secret->stored_key, text->data, text->length, key);
	for (size_t i = 0; i < sizeof key; i++) key[i] ^= scram->proof[i];
	digest_sha256(key, sizeof key, key);
	if (!digest_equals(key, secret->stored_key, sizeof key)) return false;
	digest_hmac_sha256(secret->server_key, text->data, text->length, key);
	scram_sign(scram, key);
	return true;
}
