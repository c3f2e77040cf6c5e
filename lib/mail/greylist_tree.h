/* The greylist in a folder: an empty file per entry, named by
   greylist_key_path, mode 0600 in folders of mode 0700. Its mtime is the first
   contact, its atime the last one. There is no lock and nothing to corrupt:
   a first contact is one open with O_EXCL, and jgreylist-clean may remove
   entries and empty folders at any moment.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_GREYLIST_TREE_H
#define MAIL_GREYLIST_TREE_H

#include "mail/greylist.h"

/* The client is here: decides and notes the contact. `*cause` is the reason of
   GREYLIST_FAILED; with another state it is NULL, or why the last contact could
   not be noted. The atime is only written when it would move by more than a
   minute, or to show that the client has passed. A first contact that is ahead
   by more than a minute, by a clock that was wrong, becomes one of now. */
enum greylist_state greylist_tree_contact(const char *folder,
					  const struct greylist_contact *,
					  const char **cause);

/* What greylist_tree_contact would say; writes nothing. The entry's times are
   in `*entry` unless the answer is FIRST or FAILED. */
enum greylist_state greylist_tree_look(const char *folder,
				       const struct greylist_contact *,
				       struct greylist_entry *entry,
				       const char **cause);

/* Makes the entry, or changes its times. Done by root, what is made belongs to
   the folder's owner. 0, or -1 with errno. */
int greylist_tree_set(const char *folder, const struct greylist_key *,
		      const struct greylist_entry *);

/* Removes the entry; its folders are jgreylist-clean's business. 0, or -1 with
   errno: ENOENT when there is none. */
int greylist_tree_forget(const char *folder, const struct greylist_key *);

/* Why the folder is none that a store could be in, as the end of a sentence that
   begins with its name: it is wrongly set up. NULL when it is not, though its
   disk may be full, read-only or broken. */
const char *greylist_tree_complaint(const char *folder);

#endif
