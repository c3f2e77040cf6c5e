/* What is attached to a message: the same is told however the message is cut,
   nothing that is told is longer than it may be or unclean, and no text before a
   part hides the part. The first byte says how long the pieces are.
   SPDX-License-Identifier: ISC */
#include "mail/mime.h"

#include <stdint.h>
#include <string.h>

#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static struct mime_walk walk;
static bool is_found;

static void add_name(void *context, const char *name, size_t length)
{
	if (length == 0 || length > MIME_NAME) __builtin_trap();
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
			__builtin_trap();
	if (length == 6 && memcmp(name, "QQ.exe", 6) == 0) is_found = true;
	str_append_text(context, "N");
	str_append(context, name, length);
	str_append_byte(context, '\0');
}

static void add_start(void *context, const char *bytes, size_t length)
{
	if (length == 0 || length > MIME_START) __builtin_trap();
	str_append_text(context, "S");
	str_append(context, bytes, length);
	str_append_byte(context, '\0');
}

static void scan(struct str *told, const struct str *message, size_t piece)
{
	const struct mime_observer observer = { add_name, add_start, told };
	const char *at = message->data;
	size_t left = message->length;

	is_found = false;
	mime_start(&walk, &observer);
	while (left > 0) {
		size_t n = left < piece ? left : piece;

		mime_read(&walk, at, n);
		at += n;
		left -= n;
	}
	mime_end(&walk);
}

static void check(const struct str *message, size_t piece)
{
	struct str whole = { 0 }, pieces = { 0 };

	scan(&whole, message, message->length + 1);
	scan(&pieces, message, piece);
	if (whole.length != pieces.length ||
	    (whole.length > 0 &&
	     memcmp(whole.data, pieces.data, whole.length) != 0))
		__builtin_trap();
	str_free(&whole);
	str_free(&pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const char type[] =
		"Content-Type: multipart/x; boundary=QQQ\n\n";
	static const char part[] = "\n--QQQ\nContent-Disposition: x; "
				   "filename=QQ.exe\n\n";
	struct str message = { 0 };
	size_t piece;

	if (length == 0) return 0;
	piece = 1 + (size_t)bytes[0];
	bytes++;
	length--;
	str_append(&message, bytes, length);
	check(&message, piece);
	/* As the text before the part. */
	str_clear(&message);
	str_append_text(&message, type);
	str_append(&message, bytes, length);
	str_append_text(&message, part);
	check(&message, piece);
	if (!is_found) __builtin_trap();
	str_free(&message);
	return 0;
}
