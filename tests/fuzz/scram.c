/* A client's two messages, a NUL between them: logins and nonces are C strings
   that are not empty, an answer has no comma or NUL but its own, and what is
   signed is the three messages without the proof.
   SPDX-License-Identifier: ISC */
#include "mail/scram.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* What has a NUL behind it. */
static char *copy_of(const uint8_t *bytes, size_t length)
{
	char *text = malloc(length + 1);

	if (!text) abort();
	if (length) memcpy(text, bytes, length);
	text[length] = '\0';
	return text;
}

static void check_challenge(const struct scram *scram)
{
	if (strlen(scram->login.data) != scram->login.length ||
	    scram->login.length == 0 || strchr(scram->nonce.data, ','))
		__builtin_trap();
	if (strncmp(scram->answer.data, "r=", 2) != 0 ||
	    strncmp(scram->answer.data + 2, scram->nonce.data,
		    scram->nonce.length) != 0 ||
	    strcmp(scram->answer.data + 2 + scram->nonce.length,
		   ",s=AQ==,i=1") != 0)
		__builtin_trap();
}

/* The header stands before the first message, the proof behind the last. */
static void check_signed(const struct scram *scram, const char *challenge,
			 const char *first, const char *final)
{
	const char *rest = scram->signed_text.data;
	size_t bare = strlen(first) - scram->gs2_header.length;
	const char *proof = strstr(final, ",p=");

	if (!proof ||
	    scram->signed_text.length !=
		    bare + 1 + strlen(challenge) + 1 + (size_t)(proof - final))
		__builtin_trap();
	if (memcmp(rest, first + scram->gs2_header.length, bare) != 0 ||
	    memcmp(rest + bare + 1, challenge, strlen(challenge)) != 0 ||
	    memcmp(rest + bare + strlen(challenge) + 2, final,
		   (size_t)(proof - final)) != 0)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const struct scram_secret secret = { .iterations = 1,
						    .salt_length = 1,
						    .salt = { 1 } };
	char *messages = copy_of(bytes, length);
	size_t first = strlen(messages);
	const char *final = first < length ? messages + first + 1 : "";
	struct scram scram = { 0 };

	if (scram_read_first(&scram, messages) == 0) {
		scram_challenge(&scram, &secret, "ours");
		check_challenge(&scram);
		if (scram_read_final(&scram, final) == 0)
			check_signed(&scram, scram.answer.data, messages,
				     final);
	}
	scram_free(&scram);
	free(messages);
	return 0;
}
