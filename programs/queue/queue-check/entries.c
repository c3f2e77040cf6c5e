/* SPDX-License-Identifier: ISC */
#include "entries.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "inside.h"

/* ---- names ---- */

const char moving[] = ".moving";

static const char *const folders[KINDS] = {
	"mess", "intd", "todo", "info", "local", "remote", "bounce",
};

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

const char *entry_path(char *room, const struct list *list,
		       const struct entry *entry)
{
	return path_of(room, list, entry->folder, entry->number,
		       entry->moving ? moving : "");
}

const char *right_path(char *room, const struct messages *messages,
		       enum kind kind, unsigned long number, const char *suffix)
{
	return path_of(room, &messages->lists[kind],
		       number % messages->queue->split, number, suffix);
}

bool is_right(const struct messages *messages, const struct entry *entry)
{
	return !entry->moving && entry->number == entry->inode &&
	       entry->folder == entry->number % messages->queue->split;
}

/* ---- reading ---- */

struct entry *entries(const struct list *list)
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

void read_messages(struct messages *messages)
{
	for (enum kind kind = MESS; kind < KINDS; kind++)
		read_list(messages, &messages->lists[kind], kind);
	messages->was_read = true;
}

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

const struct entry *find_entry(const struct list *list, unsigned long number,
			       bool is_moving)
{
	const struct entry *found;

	count(list, number, is_moving, &found);
	return found;
}

bool is_there_twice(const struct messages *messages, const struct entry *mess)
{
	const struct entry *found;

	for (enum kind kind = MESS; kind < KINDS; kind++)
		if (count(&messages->lists[kind], mess->number, mess->moving,
			  &found) > 1)
			return true;
	return false;
}
