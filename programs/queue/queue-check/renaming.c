/* Messages whose names are not those of their inodes.
   A message has its number in seven folders, and its new number may be another
   one's old number. So all of them first get names that are nobody's:

     1. links N.moving of all its files, N the new number, that in mess/ last:
        when that one is there, all are. Until then the old names are the message.
     2. the old names go, that in mess/ last; info/ goes first of all, for a
        message whose info/ is there and whose recipients are not would be done.
     3. from N.moving to N, that in mess/ last.

   What has been done is on the disk before the next step begins. Whatever step
   is interrupted, the next run goes on from there; a qmail-send that is started
   between may deliver a message twice, and loses none.
   SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>

#include "entries.h"
#include "inside.h"

/* What was in its way, and belongs to no message. */
static const char stray[] = ".stray";

static const enum kind leaving[KINDS] = {
	INFO, LOCAL, REMOTE, BOUNCE, INTD, TODO, MESS,
};
static const enum kind arriving[KINDS] = {
	LOCAL, REMOTE, BOUNCE, INTD, TODO, INFO, MESS,
};

static bool is_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return inside_look(a, &x) == 0 && inside_look(b, &y) == 0 &&
	       x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

/* What an earlier run left under the new name, and did not finish, gives way. */
static int link_anew(const char *from, const char *to)
{
	if (inside_link(from, to) == 0) return 0;
	if (errno != EEXIST) return -1;
	if (is_same_file(from, to)) return 0;
	return inside_remove(to) < 0 ? -1 : inside_link(from, to);
}

static bool give_new_names(struct messages *messages, const struct entry *mess)
{
	char from[PATH_ROOM], to[PATH_ROOM];
	const struct entry *done =
		find_entry(&messages->lists[MESS], mess->inode, true);

	if (done && done->inode == mess->inode) return true;
	for (size_t i = 0; i < KINDS; i++) {
		enum kind kind = arriving[i];
		const struct list *list = &messages->lists[kind];
		const struct entry *entry =
			find_entry(list, mess->number, false);

		right_path(to, messages, kind, mess->inode, moving);
		if (entry) {
			if (link_anew(entry_path(from, list, entry), to) == 0)
				continue;
		} else if (inside_remove(to) == 0 || errno == ENOENT) {
			continue;
		}
		cannot(messages->queue, "create", to);
		return false;
	}
	return true;
}

static void remove_old_names(struct messages *messages,
			     const struct entry *mess)
{
	char from[PATH_ROOM], to[PATH_ROOM];

	for (size_t i = 0; i < KINDS; i++) {
		enum kind kind = leaving[i];
		const struct list *list = &messages->lists[kind];
		const struct entry *entry =
			find_entry(list, mess->number, false);

		if (!entry) continue;
		entry_path(from, list, entry);
		right_path(to, messages, kind, mess->inode, moving);
		if (is_same_file(from, to) && inside_remove(from) < 0) {
			cannot(messages->queue, "remove", from);
			return;
		}
	}
}

static int arrive(struct queue *queue, const char *from, const char *to)
{
	char aside[PATH_ROOM + sizeof stray];

	if (inside_link(from, to) < 0) {
		if (errno == ENOENT) return 0; /* it has none in this folder */
		if (errno != EEXIST) return -1;
		if (!is_same_file(from, to)) {
			snprintf(aside, sizeof aside, "%s%s", to, stray);
			leave(queue, aside, "was in the way of a message");
			if (inside_rename(to, aside) < 0 ||
			    inside_link(from, to) < 0)
				return -1;
		}
	}
	return inside_remove(from);
}

/* Another message that has kept that name has kept its files, too. */
static bool is_taken(const struct messages *messages, const struct entry *mess)
{
	char from[PATH_ROOM], to[PATH_ROOM];
	struct stat it;

	right_path(from, messages, MESS, mess->number, moving);
	right_path(to, messages, MESS, mess->number, "");
	return inside_look(to, &it) == 0 && !is_same_file(from, to);
}

static void finish(struct messages *messages, const struct entry *mess)
{
	char from[PATH_ROOM], to[PATH_ROOM];

	if (is_taken(messages, mess)) {
		leave(messages->queue,
		      right_path(from, messages, MESS, mess->number, moving),
		      "another message has its name");
		return;
	}
	for (size_t i = 0; i < KINDS; i++) {
		right_path(from, messages, arriving[i], mess->number, moving);
		right_path(to, messages, arriving[i], mess->number, "");
		if (arrive(messages->queue, from, to) == 0) continue;
		cannot(messages->queue, "create", to);
		return;
	}
}

/* Of a name that is not right: can the message's own name be known? */
static bool can_be_renamed(const struct messages *messages,
			   const struct entry *entry)
{
	if (is_there_twice(messages, entry)) return false;
	return !entry->moving ||
	       (entry->number == entry->inode &&
		entry->folder == entry->number % messages->queue->split);
}

/* Says it of each message; true: rename them. */
static bool report_names(struct messages *messages)
{
	struct queue *queue = messages->queue;
	const struct list *list = &messages->lists[MESS];
	bool any = false;

	for (size_t i = 0; i < list->count; i++) {
		const struct entry *entry = &entries(list)[i];
		char path[PATH_ROOM], new_path[PATH_ROOM], wrong[128];

		if (is_right(messages, entry)) continue;
		entry_path(path, list, entry);
		right_path(new_path, messages, MESS, entry->inode, "");
		snprintf(wrong, sizeof wrong, "its inode says %s", new_path);
		if (!can_be_renamed(messages, entry))
			leave(queue, path, "nobody knows whose it is");
		else if (!queue->dry && !queue->is_ours)
			leave(queue, path,
			      "has a wrong name, but qmail-send may run");
		else any |= repair(queue, path, wrong, "renamed");
	}
	return any;
}

static void give_all_new_names(struct messages *messages)
{
	const struct list *list = &messages->lists[MESS];

	for (size_t i = 0; i < list->count; i++) {
		struct entry *entry = &entries(list)[i];

		entry->is_renamed = !entry->moving &&
				    !is_right(messages, entry) &&
				    can_be_renamed(messages, entry) &&
				    give_new_names(messages, entry);
	}
	sync_queue(messages->queue);
}

static void remove_all_old_names(struct messages *messages)
{
	const struct list *list = &messages->lists[MESS];

	for (size_t i = 0; i < list->count; i++)
		if (entries(list)[i].is_renamed)
			remove_old_names(messages, &entries(list)[i]);
	sync_queue(messages->queue);
}

static void finish_all(struct messages *messages)
{
	const struct list *list = &messages->lists[MESS];

	for (size_t i = 0; i < list->count; i++) {
		const struct entry *entry = &entries(list)[i];

		if (entry->moving && can_be_renamed(messages, entry))
			finish(messages, entry);
	}
	sync_queue(messages->queue);
}

/* A step that has failed, for whichever message, is not followed by another one:
   the next run does it again. False: so it was. */
bool rename_messages(struct messages *messages)
{
	static void (*const steps[])(struct messages *) = {
		give_all_new_names, remove_all_old_names, read_messages,
		finish_all,         read_messages,
	};
	unsigned long wrong;

	if (!report_names(messages)) return true;
	wrong = messages->queue->wrong;
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		steps[i](messages);
		if (messages->queue->wrong > wrong) return false;
	}
	return true;
}
