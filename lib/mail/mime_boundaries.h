/* The boundaries between the parts of a message (RFC 2046 section 5.1.1) that may
   come at this place, from the outermost parts to the innermost. Those of the
   parts that a header speaks of form a group, since there may be several: readers
   of mail differ in which of two parameters counts, and where it ends.
   A line may be a boundary without a doubt, or only begin like one, which is
   enough for some readers. Groups are numbered from 1 on.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_MIME_BOUNDARIES_H
#define MAIL_MIME_BOUNDARIES_H

#include <stdbool.h>
#include <stddef.h>

enum {
	MIME_BOUNDARIES = 24,     /* more: any line with "--" is like one */
	MIME_BOUNDARY_TEXT = 250, /* the RFC allows 70; a longer one is cut */
};

struct mime_boundaries {
	size_t count; /* that count already */
	size_t known; /* with those of the header that is being read */
	struct mime_boundary_text {
		unsigned group;
		size_t length; /* 0: any line with "--" */
		char text[MIME_BOUNDARY_TEXT];
	} list[MIME_BOUNDARIES];
};

void mime_boundaries_start(struct mime_boundaries *);

/* The header that is being read speaks of that one; of length 0, of any. */
void mime_boundaries_add(struct mime_boundaries *, const char *text,
			 size_t length);

/* No more of that header: what it said does not count. */
void mime_boundaries_drop(struct mime_boundaries *);

/* It is over: what it said counts, within that group (0: within all). Groups that
   were within it are over. */
void mime_boundaries_take(struct mime_boundaries *, unsigned group);

/* The groups within that one are over. It stays, as parts may go on behind the
   last boundary of theirs: some readers do. */
void mime_boundaries_leave(struct mime_boundaries *, unsigned group);

struct mime_match {
	unsigned group; /* 0: the line is no boundary */
	bool is_exact;  /* without a doubt */
	bool is_last;
	bool is_new; /* of the header that is being read */
};

struct mime_match mime_boundaries_find(const struct mime_boundaries *,
				       const char *line, size_t length);

#endif
