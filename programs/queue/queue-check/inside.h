/* The names in the queue, which is our working folder. Root looks after it, and
   those whose files it is may have become somebody's tool: so no symbolic link is
   followed, neither in a name's place nor in that of a folder before it, and
   whatever is put there meanwhile, nothing outside of the queue is touched.
   Paths are as "mess/9/1234". Like the calls that they are named after: -1 or
   NULL with errno; ENOTDIR for a link in the place of a folder, ELOOP for one
   that was to be opened.
   SPDX-License-Identifier: ISC */
#ifndef QUEUE_CHECK_INSIDE_H
#define QUEUE_CHECK_INSIDE_H

#include <dirent.h>
#include <sys/stat.h>

/* lstat */
int inside_look(const char *path, struct stat *);

/* What is made by O_CREAT has mode 0600. Never waits for a fifo's other end. */
int inside_open(const char *path, int flags);

/* opendir */
DIR *inside_list(const char *path);

int inside_make_folder(const char *path);
int inside_make_fifo(const char *path);
int inside_remove(const char *path);
int inside_link(const char *from, const char *to);
int inside_rename(const char *from, const char *to);

#endif
