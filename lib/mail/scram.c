/* SPDX-License-Identifier: ISC */
#include "mail/scram.h"

#include <string.h>

#include "base/base64.h"
#include "base/parse.h"

enum { PIECE_LIMIT = 128 }; /* no piece of an entry is longer */

/* ---- what is kept ---- */

/* Copies the piece before `mark` (0: all that is left) and steps behind it. */
static bool take_piece(const char **text, const char *end, char mark,
		       char piece[PIECE_LIMIT])
{
	size_t left = (size_t)(end - *text), length = left;

	if (mark) {
		const char *at = left ? memchr(*text, mark, left) : NULL;

		if (!at) return false;
		length = (size_t)(at - *text);
	}
	if (length >= PIECE_LIMIT) return false;
	if (length) memcpy(piece, *text, length);
	piece[length] = '\0';
	*text += length + (mark != 0);
	return true;
}

/* How many bytes the base64 stands for, at most `room`; 0 when it is none. */
static size_t decode_piece(const char *piece, unsigned char *bytes, size_t room)
{
	struct str decoded = { 0 };
	size_t length = 0;

	if (base64_decode(&decoded, piece, strlen(piece)) == 0 &&
	    decoded.length > 0 && decoded.length <= room) {
		length = decoded.length;
		memcpy(bytes, decoded.data, length);
	}
	if (decoded.data) explicit_bzero(decoded.data, decoded.room);
	str_free(&decoded);
	return length;
}

int scram_secret_read(struct scram_secret *secret, const char *text,
		      size_t length)
{
	const char *end = text + length;
	char piece[PIECE_LIMIT];

	if (!take_piece(&text, end, '$', piece) ||
	    strcmp(piece, SCRAM_NAME) != 0)
		return -1;
	if (!take_piece(&text, end, ':', piece) ||
	    parse_number(piece, 1, SCRAM_MOST_ITERATIONS, &secret->iterations) <
		    0)
		return -1;
	if (!take_piece(&text, end, '$', piece)) return -1;
	secret->salt_length =
		decode_piece(piece, secret->salt, sizeof secret->salt);
	if (secret->salt_length == 0) return -1;
	if (!take_piece(&text, end, ':', piece) ||
	    decode_piece(piece, secret->stored_key, SCRAM_KEY_LENGTH) !=
		    SCRAM_KEY_LENGTH)
		return -1;
	if (!take_piece(&text, end, '\0', piece) ||
	    decode_piece(piece, secret->server_key, SCRAM_KEY_LENGTH) !=
		    SCRAM_KEY_LENGTH)
		return -1;
	return 0;
}

static void append_key(struct str *text, const unsigned char *key)
{
	base64_encode(text, key, SCRAM_KEY_LENGTH);
}

void scram_secret_write(struct str *text, const struct scram_secret *secret)
{
	str_append_text(text, SCRAM_NAME "$");
	str_append_number(text, secret->iterations);
	str_append_byte(text, ':');
	base64_encode(text, secret->salt, secret->salt_length);
	str_append_byte(text, '$');
	append_key(text, secret->stored_key);
	str_append_byte(text, ':');
	append_key(text, secret->server_key);
}

void scram_free(struct scram *scram)
{
	str_free(&scram->login);
	str_free(&scram->nonce);
	str_free(&scram->gs2_header);
	str_free(&scram->answer);
	str_free(&scram->signed_text);
}

/* ---- the messages: attributes, X=VALUE, with commas between them ---- */

/* The value of the attribute that comes next, up to a comma or the end. */
static const char *take_attribute(const char **message, char letter,
				  size_t *length)
{
	const char *value = *message + 2;

	if ((*message)[0] != letter || (*message)[1] != '=') return NULL;
	*length = strcspn(value, ",");
	*message = value + *length;
	return value;
}

static bool step_over_comma(const char **message)
{
	if (**message != ',') return false;
	(*message)++;
	return true;
}

/* A comma in a name is =2C, an equals sign =3D. */
static bool decode_name(struct str *name, const char *text, size_t length)
{
	str_clear(name);
	for (size_t i = 0; i < length; i++) {
		if (text[i] != '=') {
			str_append_byte(name, text[i]);
			continue;
		}
		if (length - i < 3) return false;
		if (memcmp(text + i, "=2C", 3) == 0) str_append_byte(name, ',');
		else if (memcmp(text + i, "=3D", 3) == 0)
			str_append_byte(name, '=');
		else return false;
		i += 2;
	}
	return name->length > 0;
}

static bool is_nonce(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] < '!' || text[i] > '~') return false;
	return length > 0;
}

/* "n,," or "y,,", with a=NAME between the commas perhaps: 'p' would bind the
   exchange to a channel. */
static bool read_gs2_header(struct scram *scram, const char **message)
{
	const char *start = *message;

	if (*start != 'n' && *start != 'y') return false;
	*message = start + 1;
	if (!step_over_comma(message)) return false;
	*message += strcspn(*message, ",");
	if ((*message)[-1] != ',' &&
	    (start[2] != 'a' || start[3] != '=' || *message - start < 5))
		return false;
	if (!step_over_comma(message)) return false;
	str_clear(&scram->gs2_header);
	str_append(&scram->gs2_header, start, (size_t)(*message - start));
	return true;
}

int scram_read_first(struct scram *scram, const char *message)
{
	const char *name, *nonce;
	size_t length;

	if (strlen(message) > SCRAM_MESSAGE_LIMIT) return -1;
	if (!read_gs2_header(scram, &message)) return -1;
	str_clear(&scram->signed_text);
	str_append_text(&scram->signed_text, message);
	name = take_attribute(&message, 'n', &length);
	if (!name || !decode_name(&scram->login, name, length)) return -1;
	if (!step_over_comma(&message)) return -1;
	nonce = take_attribute(&message, 'r', &length);
	if (!nonce || !is_nonce(nonce, length)) return -1;
	str_clear(&scram->nonce);
	str_append(&scram->nonce, nonce, length);
	return *message && *message != ',' ? -1 : 0;
}

/* RFC 5802, section 3: three messages, with commas between them. */
static void sign_too(struct scram *scram, const char *message, size_t length)
{
	str_append_byte(&scram->signed_text, ',');
	str_append(&scram->signed_text, message, length);
}

void scram_challenge(struct scram *scram, const struct scram_secret *secret,
		     const char *nonce)
{
	str_append_text(&scram->nonce, nonce);
	str_clear(&scram->answer);
	str_append_text(&scram->answer, "r=");
	str_append_text(&scram->answer, scram->nonce.data);
	str_append_text(&scram->answer, ",s=");
	base64_encode(&scram->answer, secret->salt, secret->salt_length);
	str_append_text(&scram->answer, ",i=");
	str_append_number(&scram->answer, secret->iterations);
	sign_too(scram, scram->answer.data, scram->answer.length);
}

/* The client repeats its header, in base64, and the nonce. */
static bool is_of_exchange(const struct scram *scram, const char **message)
{
	struct str header = { 0 };
	const char *nonce, *text;
	size_t length;
	bool is_same;

	text = take_attribute(message, 'c', &length);
	if (!text) return false;
	is_same =
		base64_decode(&header, text, length) == 0 &&
		header.length == scram->gs2_header.length &&
		memcmp(header.data, scram->gs2_header.data, header.length) == 0;
	str_free(&header);
	if (!is_same || !step_over_comma(message)) return false;
	nonce = take_attribute(message, 'r', &length);
	return nonce && length == scram->nonce.length &&
	       memcmp(nonce, scram->nonce.data, length) == 0;
}

int scram_read_final(struct scram *scram, const char *message)
{
	const char *proof = strstr(message, ",p="), *rest = message;
	char piece[PIECE_LIMIT];

	if (!proof || strlen(message) > SCRAM_MESSAGE_LIMIT ||
	    !is_of_exchange(scram, &rest) || *rest != ',' ||
	    strchr(proof + 1, ','))
		return -1;
	rest = proof + strlen(",p=");
	if (!take_piece(&rest, rest + strlen(rest), '\0', piece) ||
	    decode_piece(piece, scram->proof, sizeof scram->proof) !=
		    sizeof scram->proof)
		return -1;
	sign_too(scram, message, (size_t)(proof - message));
	return 0;
}

void scram_sign(struct scram *scram,
		const unsigned char signature[SCRAM_KEY_LENGTH])
{
	str_clear(&scram->answer);
	str_append_text(&scram->answer, "v=");
	append_key(&scram->answer, signature);
}
