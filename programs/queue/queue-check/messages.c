/* What is to be done about messages, once they have their names.
   SPDX-License-Identifier: ISC */
#include <errno.h>
#include <time.h>

#include "entries.h"
#include "inside.h"

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

	if (find_entry(&messages->lists[MESS], entry->number, entry->moving) ||
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
				find_entry(&messages->lists[kind],
					   entry->number, is_moving);

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

	read_messages(&messages);
	if (rename_messages(&messages)) check_garbage(&messages);
	check_all_rights(&messages);
}
