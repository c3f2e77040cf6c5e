/* Files of certificates and keys, read whole, so that what cannot be opened
   and what cannot be understood are told apart.
   SPDX-License-Identifier: ISC */
#ifndef TLSD_FILE_BIO_H
#define TLSD_FILE_BIO_H

#include <openssl/bio.h>

#include "base/str.h"

/* A BIO that reads the file's bytes, which `text` holds until file_bio_close.
   Dies with "unable to load WHAT PATH: cause". */
BIO *file_bio_open(const char *what, const char *path, struct str *text);

/* Nothing of what was read stays in memory. */
void file_bio_close(BIO *, struct str *text);

/* Dies with "unable to load WHAT PATH: " and OpenSSL's words. */
_Noreturn void die_of_file(const char *what, const char *path);

#endif
