/* SPDX-License-Identifier: ISC */
#include "file_bio.h"

#include <limits.h>
#include <openssl/crypto.h>

#include "base/message.h"
#include "reason.h"
#include "system/file.h"

/* The certificates of all public CAs are a quarter of a megabyte. */
enum { FILE_LIMIT = 4 << 20 };

BIO *file_bio_open(const char *what, const char *path, struct str *text)
{
	BIO *bio;

	if (file_read(path, text, FILE_LIMIT) < 0)
		die_temporary("unable to load %s %s:", what, path);
	str_append(text, "", 0); /* an empty file has data, too */
	bio = BIO_new_mem_buf(text->data, (int)text->length);
	if (!bio) die_of_file(what, path);
	return bio;
}

void file_bio_close(BIO *bio, struct str *text)
{
	BIO_free(bio);
	OPENSSL_cleanse(text->data, text->length);
	str_free(text);
}

void die_of_file(const char *what, const char *path)
{
	const char *reason = reason_take();

	die_temporary("unable to load %s %s: %s", what, path, reason);
}
