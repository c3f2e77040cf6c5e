/* Whole files, and what makes them durable. Every call gives 0, or -1 with
   errno.
   SPDX-License-Identifier: ISC */
#ifndef SYSTEM_FILE_H
#define SYSTEM_FILE_H

#include <stddef.h>

#include "base/str.h"

/* Appends the file's bytes; EFBIG when it has more than `limit`. */
int file_read(const char *path, struct str *into, size_t limit);

/* The same for what is left of an open descriptor, up to its end. */
int file_read_rest(int fd, struct str *into, size_t limit);

/* All of it, however many writes it takes; for files, and for pipes that
   somebody surely reads. */
int file_write(int fd, const void *bytes, size_t length);

/* Flushes the entries of the folder: a name made, linked or renamed in it is
   there after a power cut only when this has been done. */
int file_sync_folder(const char *path);

/* The same for the folder that the file is in. */
int file_sync_folder_of(const char *path);

/* Closes on the way out: errno stays what it is. */
void file_close(int fd);

#endif
