/* A conversation, client and server in turn (a byte 255 changes the speaker):
   what is shown does not depend on how the bytes were cut, pieces are in order,
   and an answer to a 334 is never shown.
   SPDX-License-Identifier: ISC */
#include "mail/conversation.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { LONGEST = 4096 };

struct client {
	struct conversation conversation;
	const char *held; /* what it has sent and may not pass yet */
	size_t held_length;
	char *map; /* one byte for each that has passed */
	size_t mapped;
};

static void check_piece(struct conversation_piece piece, const char *bytes,
			size_t length, enum conversation_part part)
{
	const char *newline = memchr(bytes, '\n', piece.length);

	if (piece.length == 0 || piece.length > length) __builtin_trap();
	if (piece.shown > piece.length || piece.part != part) __builtin_trap();
	if (newline && part != CONVERSATION_ENCRYPTED &&
	    newline != bytes + piece.length - 1)
		__builtin_trap();
	if (part == CONVERSATION_ANSWER && piece.shown > 0) __builtin_trap();
}

static void pass_client(struct client *client, size_t step)
{
	struct conversation *c = &client->conversation;

	while (client->held_length > 0 && !conversation_is_waiting(c)) {
		size_t given =
			client->held_length < step ? client->held_length : step;
		enum conversation_part part = c->part;
		struct conversation_piece piece =
			conversation_client(c, client->held, given);

		check_piece(piece, client->held, given, part);
		for (size_t i = 0; i < piece.length; i++)
			client->map[client->mapped++] =
				(char)(piece.part * 2 + (i < piece.shown));
		client->held += piece.length;
		client->held_length -= piece.length;
	}
}

static void hear_server(struct conversation *c, const char *bytes,
			size_t length, size_t step)
{
	while (length > 0) {
		size_t given = length < step ? length : step;

		conversation_server(c, bytes, given);
		bytes += given;
		length -= given;
	}
}

static void play(struct client *client, const char *bytes, size_t length,
		 size_t step)
{
	const char *end = bytes + length;

	conversation_start(&client->conversation, 1);
	for (bool is_client = true; bytes < end; is_client = !is_client) {
		const char *turn = memchr(bytes, 255, (size_t)(end - bytes));

		if (!turn) turn = end;
		if (is_client) {
			client->held = bytes;
			client->held_length = (size_t)(turn - bytes);
			pass_client(client, step);
		} else {
			hear_server(&client->conversation, bytes,
				    (size_t)(turn - bytes), step);
			pass_client(client, step);
			conversation_stop_waiting(&client->conversation);
			pass_client(client, step);
		}
		bytes = turn + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct client whole = { .map = malloc(length + 1) };
	struct client cut = { .map = malloc(length + 1) };

	if (length > LONGEST) length = LONGEST;
	play(&whole, (const char *)bytes, length, LONGEST);
	play(&cut, (const char *)bytes, length, 1);
	if (whole.mapped != cut.mapped ||
	    memcmp(whole.map, cut.map, cut.mapped) != 0)
		__builtin_trap();
	free(whole.map);
	free(cut.map);
	return 0;
}
