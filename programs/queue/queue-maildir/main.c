/* queue-maildir: the end of the chain: a message goes straight into Maildirs,
   with no queue and no second process. Started by smtpd for every message, as
   qmail-queue is: the message is on descriptor 0, the envelope on descriptor 1,
   the exit code is the answer. It is durable when that is 0: file and name have
   been flushed. A recipient without a mailbox refuses the whole message, since
   there is one answer for all; smtpd's own list of recipients should know it
   first.
   SPDX-License-Identifier: ISC */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "base/str.h"
#include "mail/control.h"
#include "mail/stage.h"
#include "maildir.h"
#include "map.h"

/* Each one holds a descriptor open, and 1024 of those are usual. */
enum { RECIPIENT_LIMIT = 1000 };

static const char synopsis[] = "queue-maildir [ -d maildir ] [ -m map.cdb ]"
			       " | queue-maildir -c map.cdb";

static const char no_mailbox[] = "Dno mailbox here by that name (#5.1.1)";
static const char too_many[] = "Dtoo many recipients (#5.5.3)";

struct settings {
	const char *map;      /* NULL: the control file */
	const char *fallback; /* NULL: none */
};

static struct delivery deliveries[RECIPIENT_LIMIT];

static struct settings read_settings(int argc, char **argv)
{
	struct settings settings = { .fallback = getenv("QUEUE_MAILDIR") };
	const char *compile = NULL;
	int letter;

	if (settings.fallback && !*settings.fallback) settings.fallback = NULL;
	while ((letter = option_next(argc, argv, "c:d:m:", synopsis)) != -1) {
		if (letter == 'c') compile = optarg;
		if (letter == 'd') settings.fallback = optarg;
		if (letter == 'm') settings.map = optarg;
	}
	if (argv[optind]) die_usage(synopsis);
	if (compile) map_compile(compile);
	if (settings.fallback &&
	    !path_is_usable(settings.fallback, strlen(settings.fallback)))
		die_permanent("the Maildir must be an absolute path");
	return settings;
}

static enum queue_exit_code refuse(const struct stage *stage, const char *text)
{
	stage_log(stage, "refused", text + 1);
	return stage_refuse(text);
}

static enum queue_exit_code open_map(struct map *map,
				     const struct settings *settings)
{
	struct str standard = { 0 };
	const char *path = settings->map;

	map->fallback = settings->fallback;
	if (!path) {
		control_path(&standard, "maildirs.cdb");
		path = standard.data;
	}
	if (table_open(&map->table, path) == 0) return QUEUE_DONE;
	if (!settings->map && map->fallback && errno == ENOENT)
		return QUEUE_DONE;
	note("fatal: cannot open %s: %s", path, error_text(errno));
	return QUEUE_CANNOT_READ_SETTINGS;
}

/* Every recipient's Maildir, before the first byte is written. */
static enum queue_exit_code find_maildirs(const struct stage *stage,
					  struct map *map)
{
	const char *recipient = NULL;
	size_t count = 0;

	if (stage->envelope.recipient_count > RECIPIENT_LIMIT)
		return refuse(stage, too_many);
	while ((recipient = envelope_next(&stage->envelope, recipient))) {
		struct delivery *delivery = &deliveries[count++];

		delivery->recipient = recipient;
		switch (map_find(map, recipient, &delivery->maildir,
				 &delivery->maildir_length)) {
		case TABLE_FOUND: break;
		case TABLE_ABSENT: return refuse(stage, no_mailbox);
		case TABLE_FAILED:
			note("fatal: cannot read the map: %s",
			     error_text(errno));
			return QUEUE_CANNOT_READ_SETTINGS;
		}
	}
	return QUEUE_DONE;
}

static enum queue_exit_code deliver(const struct stage *stage)
{
	struct str reason = { 0 };
	enum queue_exit_code code = maildir_deliver(
		stage, deliveries, stage->envelope.recipient_count, &reason);

	stage_log(stage, code == QUEUE_DONE ? "delivered" : "deferred",
		  reason.data);
	return code;
}

int main(int argc, char **argv)
{
	struct settings settings;
	struct stage stage = { 0 };
	struct map map = { 0 };
	enum queue_exit_code code;

	program_name = "queue-maildir";
	settings = read_settings(argc, argv);
	stage_start();
	code = stage_take(&stage);
	if (code == QUEUE_DONE) code = open_map(&map, &settings);
	if (code == QUEUE_DONE) code = find_maildirs(&stage, &map);
	if (code == QUEUE_DONE) code = deliver(&stage);
	return (int)code;
}
