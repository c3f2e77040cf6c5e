/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/parse.h"
#include "base/str.h"
#include "inside.h"
#include "queue.h"

/* A message on its way to the number of its inode has this behind it, in every
   folder; qmail-send passes over such names. */
static const char moving[] = ".moving";
/* What was in its way, and belongs to no message. */
static const char stray[] = ".stray";

enum kind { MESS, INTD, TODO, INFO, LOCAL, REMOTE, BOUNCE, KINDS };

static const char *const folders[KINDS] = {
	"mess", "intd", "todo", "info", "local", "remote", "bounce",
};

struct entry {
	unsigned long number;
	unsigned long folder; /* where it is, if its kind is split */
	unsigned long inode;
	time_t used;
	bool moving;
	bool is_renamed;
};

/* All there was when it was read, by number. */
struct list {
	enum kind kind;
	bool is_split;
	struct str bytes;
	size_t count;
};

struct messages {
	struct queue *queue;
	struct list lists[KINDS];
	bool was_read; /* what is odd has been named */
};

/* ---- names ---- */

static const char *path_of(char *room, const struct list *list,
			   unsigned long folder, unsigned long number,
			   const char *suffix)
{
	if (list->is_split)
		snprintf(room, PATH_ROOM, "%s/%lu/%lu%s", folders[list->kind],
			 folder, number, suffix);
	else
		snprintf(room, PATH_ROOM, "%s/%lu%s", folders[list->kind],
			 number, suffix);
	return room;
}

static const char *entry_path(char *room, const struct list *list,
			      const struct entry *entry)
{
	return path_of(room, list, entry->folder, entry->number,
		       entry->moving ? moving : "");
}

/* Where the message belongs. */
static const char *right_path(char *room, const struct messages *messages,
			      enum kind kind, unsigned long number,
			      const char *suffix)
{
	return path_of(room, &messages->lists[kind],
		       number % messages->queue->split, number, suffix);
}

static bool is_right(const struct messages *messages, const struct entry *entry)
{
	return !entry->moving && entry->number == entry->inode &&
	       entry->folder == entry->number % messages->queue->split;
}

/* ---- reading ---- */

static struct entry *entries(const struct list *list)
{
	return (void *)list->bytes.data;
}

/* N, or N.moving? */
static bool parse_name(char *name, struct entry *entry)
{
	size_t length = strlen(name), end = sizeof moving - 1;

	entry->moving =
		length > end && strcmp(name + length - end, moving) == 0;
	if (entry->moving) name[length - end] = '\0';
	if (name[0] == '0') return false; /* and no other digit before it */
	return parse_number(name, 1, (unsigned long)-1, &entry->number) == 0;
}

static void leave_unknown(const struct messages *messages, const char *folder,
			  const char *name)
{
	char shown[256];
	struct str path = { 0 };

	if (messages->was_read) return;
	str_append_text(&path, folder);
	str_append_byte(&path, '/');
	str_append_text(&path, printable_text(shown, sizeof shown, name));
	leave(messages->queue, path.data, "is unknown");
	str_free(&path);
}

static void add_entry(const struct messages *messages, struct list *list,
		      const char *folder, unsigned long number,
		      const char *name)
{
	struct entry entry = { .folder = number };
	char text[PATH_ROOM], path[PATH_ROOM];
	struct stat it;

	if (snprintf(text, sizeof text, "%s", name) >= (int)sizeof text ||
	    !parse_name(text, &entry)) {
		leave_unknown(messages, folder, name);
		return;
	}
	entry_path(path, list, &entry);
	if (inside_look(path, &it) < 0) return; /* it has gone its way */
	if (!S_ISREG(it.st_mode)) {
		if (!messages->was_read)
			leave(messages->queue, path, "is no file");
		return;
	}
	entry.inode = it.st_ino;
	entry.used = it.st_atime;
	/* More than the strings that live outside the heap: for alignment. */
	if (list->count == 0) str_reserve(&list->bytes, 65536);
	str_append(&list->bytes, &entry, sizeof entry);
	list->count++;
}

static void read_folder(const struct messages *messages, struct list *list,
			const char *folder, unsigned long number)
{
	DIR *names = inside_list(folder);
	const struct dirent *entry;

	if (!names && !messages->was_read && errno != ENOENT &&
	    errno != ENOTDIR)
		cannot(messages->queue, "read", folder);
	while (names && (entry = readdir(names)))
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			add_entry(messages, list, folder, number,
				  entry->d_name);
	if (names) closedir(names);
}

/* In a folder that is split there are folders only. */
static void look_for_others(const struct messages *messages, const char *folder)
{
	DIR *names = inside_list(folder);
	const struct dirent *entry;
	unsigned long number;

	while (names && (entry = readdir(names)))
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0 &&
		    parse_number(entry->d_name, 0, messages->queue->split - 1,
				 &number) < 0)
			leave_unknown(messages, folder, entry->d_name);
	if (names) closedir(names);
}

static int by_number(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->number != y->number) return x->number < y->number ? -1 : 1;
	return (int)x->moving - (int)y->moving;
}

static void read_list(const struct messages *messages, struct list *list,
		      enum kind kind)
{
	const struct queue *queue = messages->queue;

	list->kind = kind;
	list->is_split = kind != BOUNCE &&
			 ((kind != INTD && kind != TODO) || queue->split_todo);
	list->count = 0;
	str_clear(&list->bytes);
	if (!list->is_split) {
		read_folder(messages, list, folders[kind], 0);
	} else {
		look_for_others(messages, folders[kind]);
		for (unsigned long n = 0; n < queue->split; n++) {
			char folder[PATH_ROOM];

			snprintf(folder, sizeof folder, "%s/%lu", folders[kind],
				 n);
			read_folder(messages, list, folder, n);
		}
	}
	if (list->count > 1)
		qsort(list->bytes.data, list->count, sizeof(struct entry),
		      by_number);
}

static void read_all(struct messages *messages)
{
	for (enum kind kind = MESS; kind < KINDS; kind++)
		read_list(messages, &messages->lists[kind], kind);
	messages->was_read = true;
}

/* How many there are: two, in two folders, are nobody's to choose from. */
static size_t count(const struct list *list, unsigned long number,
		    bool is_moving, const struct entry **found)
{
	const struct entry wanted = { .number = number, .moving = is_moving };
	const struct entry *first = entries(list), *at, *end;

	*found = NULL;
	if (list->count == 0) return 0;
	at = bsearch(&wanted, first, list->count, sizeof *first, by_number);
	if (!at) return 0;
	end = at + 1;
	while (at > first && by_number(at - 1, &wanted) == 0) at--;
	while (end < first + list->count && by_number(end, &wanted) == 0) end++;
	*found = at;
	return (size_t)(end - at);
}

static const struct entry *find(const struct list *list, unsigned long number,
				bool is_moving)
{
	const struct entry *found;

	count(list, number, is_moving, &found);
	return found;
}

static bool is_there_twice(const struct messages *messages,
			   const struct entry *mess)
{
	const struct entry *found;

	for (enum kind kind = MESS; kind < KINDS; kind++)
		if (count(&messages->lists[kind], mess->number, mess->moving,
			  &found) > 1)
			return true;
	return false;
}

/* ---- wrong names ----

   A message has its number in seven folders, and its new number may be another
   one's old number. So all of them first get names that are nobody's:

     1. links N.moving of all its files, N the new number, that in mess/ last:
        when that one is there, all are. Until then the old names are the message.
     2. the old names go, that in mess/ last; info/ goes first of all, for a
        message whose info/ is there and whose recipients are not would be done.
     3. from N.moving to N, that in mess/ last.

   What has been done is on the disk before the next step begins. Whatever step
   is interrupted, the next run goes on from there; a qmail-send that is started
   between may deliver a message twice, and loses none. */

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
		find(&messages->lists[MESS], mess->inode, true);

	if (done && done->inode == mess->inode) return true;
	for (size_t i = 0; i < KINDS; i++) {
		enum kind kind = arriving[i];
		const struct list *list = &messages->lists[kind];
		const struct entry *entry = find(list, mess->number, false);

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
		const struct entry *entry = find(list, mess->number, false);

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
static bool rename_messages(struct messages *messages)
{
	static void (*const steps[])(struct messages *) = {
		give_all_new_names, remove_all_old_names, read_all, finish_all,
		read_all,
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

/* ---- what nobody asks for ---- */

static bool is_there(const struct messages *messages, enum kind kind,
		     unsigned long number)
{
	char path[PATH_ROOM];
	struct stat it;

	return inside_look(right_path(path, messages, kind, number, ""), &it) ==
	       0;
}

static bool is_old(const struct entry *entry, time_t now)
{
	return now > entry->used + OSSIFIED;
}

static void remove_garbage(struct messages *messages, const char *path,
			   const char *wrong)
{
	struct queue *queue = messages->queue;

	if (repair(queue, path, wrong, "removed") && inside_remove(path) < 0)
		cannot(queue, "remove", path);
}

/* A qmail-queue ended before it was done. The message goes last: while it is
   there, nobody else has its number. */
static void check_unfinished(struct messages *messages,
			     const struct entry *mess, time_t now)
{
	char path[PATH_ROOM];

	if (!is_right(messages, mess) || !is_old(mess, now) ||
	    is_there(messages, INFO, mess->number) ||
	    is_there(messages, TODO, mess->number))
		return;
	if (is_there(messages, INTD, mess->number))
		remove_garbage(
			messages,
			right_path(path, messages, INTD, mess->number, ""),
			"was never finished");
	remove_garbage(messages,
		       right_path(path, messages, MESS, mess->number, ""),
		       "was never finished");
}

/* A file of a message that is not there. A message's own file comes first and
   goes last, so there is none on its way. */
static void check_orphan(struct messages *messages, const struct list *list,
			 const struct entry *entry, time_t now)
{
	char path[PATH_ROOM];
	struct stat it;

	if (find(&messages->lists[MESS], entry->number, entry->moving) ||
	    is_there(messages, MESS, entry->number))
		return;
	entry_path(path, list, entry);
	if (is_old(entry, now))
		remove_garbage(messages, path, "has no message");
	else if (inside_look(path, &it) == 0)
		leave(messages->queue, path, "has no message");
}

/* A running qmail-send does so itself, and must be the only one: between its
   look at a name and the end of that, the number may be another message's. */
static void check_garbage(struct messages *messages)
{
	time_t now = time(NULL);

	if (!messages->queue->dry && !messages->queue->is_ours) return;
	for (enum kind kind = MESS; kind < KINDS; kind++) {
		const struct list *list = &messages->lists[kind];

		for (size_t i = 0; i < list->count; i++) {
			const struct entry *entry = &entries(list)[i];

			if (kind == MESS)
				check_unfinished(messages, entry, now);
			else check_orphan(messages, list, entry, now);
		}
	}
}

/* ---- rights ---- */

/* todo/N is a link to intd/N. */
static nlink_t names_of(const struct messages *messages,
			const struct entry *entry)
{
	nlink_t names = 0;

	for (enum kind kind = MESS; kind < KINDS; kind++)
		for (int is_moving = 0; is_moving < 2; is_moving++) {
			const struct entry *other =
				find(&messages->lists[kind], entry->number,
				     is_moving);

			if (other && other->inode == entry->inode) names++;
		}
	return names;
}

static void check_all_rights(struct messages *messages)
{
	const struct owners *owners = &messages->queue->owners;
	struct rights of_queue = { .owner = owners->queue,
				   .any_group = true,
				   .mode = 0644 };
	struct rights of_send = { .owner = owners->send,
				  .any_group = true,
				  .mode = 0600 };

	for (enum kind kind = MESS; kind < KINDS; kind++) {
		const struct list *list = &messages->lists[kind];
		struct rights *rights = kind <= TODO ? &of_queue : &of_send;

		for (size_t i = 0; i < list->count; i++) {
			char path[PATH_ROOM];

			rights->names = names_of(messages, &entries(list)[i]);
			entry_path(path, list, &entries(list)[i]);
			check_rights(messages->queue, path, rights);
		}
	}
}

void check_messages(struct queue *queue)
{
	struct messages messages = { .queue = queue };

	read_all(&messages);
	if (rename_messages(&messages)) check_garbage(&messages);
	check_all_rights(&messages);
}
