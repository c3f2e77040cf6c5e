/* What queue-check knows of the queue that it is in (its working folder), and how
   it says what it finds: one line each on standard output,

       PATH: WHAT IS WRONG[: WHAT IS DONE]

   The surprise: with -n nothing is done, and "would be" stands before it.
   SPDX-License-Identifier: ISC */
#ifndef QUEUE_CHECK_QUEUE_H
#define QUEUE_CHECK_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
	STANDARD_SPLIT = 23,
	LARGEST_SPLIT = 1000000,
	OSSIFIED = 129600, /* seconds; no qmail-queue lives as long */
	PATH_ROOM = 64,    /* of names in the queue that have a meaning */
};

/* Whose files are whose: qmail's users, or one for all of them. */
struct owners {
	uid_t queue;  /* qmailq */
	uid_t send;   /* qmails */
	uid_t remote; /* qmailr */
	gid_t group;
	bool has_group; /* else any will do */
};

struct queue {
	struct owners owners;
	unsigned long split; /* 0: not known yet */
	bool split_todo;
	bool dry;    /* -n */
	bool is_new; /* what is made is not named one by one */
	bool changed;
	bool is_ours;        /* we hold the lock that qmail-send holds */
	unsigned long wrong; /* what is still so when we are done */
	dev_t device;
};

/* Says what is wrong and what is done about it. True: do it. */
bool repair(struct queue *, const char *path, const char *wrong,
	    const char *done) __attribute__((warn_unused_result));

/* Says what is wrong and stays so. */
void leave(struct queue *, const char *path, const char *wrong);

/* What was to be repaired could not be: errno says why. */
void cannot(struct queue *, const char *what, const char *path);

struct rights {
	uid_t owner;
	gid_t group;
	bool any_group; /* a message's files have that of whoever sent it */
	mode_t mode;
	/* Names that the file has in the queue. Root gives away none that has
	   others: it may be anybody's, like /etc/shadow. A folder has one. */
	nlink_t names;
};

/* What is said of such a file. */
extern const char has_another_name[];

/* 0, or -1 with errno. */
int give_rights(const char *path, const struct rights *);

/* The owner and the mode of a file that is there. */
void check_rights(struct queue *, const char *path, const struct rights *);

/* All that has been done so far comes to the disk before what is done next. */
void sync_queue(struct queue *);

/* Folders and lock files: what is missing is made. Finds out split, split_todo and
   is_ours. False: there is nothing to look into. */
bool check_layout(struct queue *);

/* Messages: names that are not those of their inodes, what nobody asks for any
   more, owners and modes. */
void check_messages(struct queue *);

#endif
